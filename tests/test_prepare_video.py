"""From a clip to pairs, as a user makes them."""

import re
from pathlib import Path

import pytest

from tests.conftest import Call
from tests.pictures import panned, write_video


def test_a_clip_becomes_pairs_that_are_found_and_sound(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")
    scenes = [panned(seed, 12) for seed in range(3)]
    write_video(tmp_path / "clip.mkv", [frame for scene in scenes for frame in [*scene, *[scene[-1]] * 12]])
    call("prepare", "data=video", "root=clip.mkv", "frames=3,5", "out=pairs", "run=log")
    assert re.search(
        r"clip\.mkv: 72 frames of 64x48, 240 per second, in 3 scenes; \d+ frame pairs; left out, as nothing moves: \d",
        capsys.readouterr().err,
    )
    for split in ("train", "val", "test"):
        (scene,) = (tmp_path / "pairs" / split).iterdir()
        assert {path.name for path in (scene / "blur").iterdir()} == {path.name for path in (scene / "sharp").iterdir()}
    call("prepare", "data=video", "data.root=pairs", "check=true", "run=log")
    assert "No problems: every pair is readable, of one size and aligned" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=r"frames=\[4\]: averages are of odd numbers of frames from 3"):
        call("prepare", "data=video", "root=clip.mkv", "frames=4", "out=other", "run=log")
    with pytest.raises(SystemExit, match="root=nothing is neither a video nor a folder of videos"):
        call("prepare", "data=video", "root=nothing", "out=other", "run=log")
    with pytest.raises(
        SystemExit, match=r"root=clip\.mkv is a clip for data=video\. The pictures of data=reds are data\.root="
    ):
        call("prepare", "data=reds", "root=clip.mkv", "check=true", "run=log")
