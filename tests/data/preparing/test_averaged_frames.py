"""Pairs of a fast camera's video: the average is that of light, and an interrupted call goes on."""

from pathlib import Path

import numpy as np
import pytest

from deblurlab.data.pixels import decode_file
from deblurlab.data.preparing.averaged_frames import averaged, write_pairs
from deblurlab.data.preparing.video_plan import PlannedPair, plan_pairs
from deblurlab.data.preparing.video_survey import Stretch, survey
from tests.pictures import panned, write_video

pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")


def test_a_pair_is_the_average_of_light_and_the_frame_in_the_middle(tmp_path: Path) -> None:
    frames = panned(0, 12)
    file = write_video(tmp_path / "a.mkv", frames)
    stretches = [Stretch(1, 3), Stretch(4, 7)]
    pairs = [PlannedPair(stretch, "train", "a_001", "0.png") for stretch in stretches]
    for (first, count), (pair, pixels) in zip(stretches, averaged(file, pairs), strict=True):
        assert pair.stretch == (first, count)
        np.testing.assert_array_equal(pixels.sharp, frames[first + count // 2])
        encoded = np.stack(frames[first : first + count]).astype(np.float64) / 255
        light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).mean(0)
        expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        assert np.abs(pixels.blurred - expected).max() < 0.501
        assert np.abs(pixels.blurred - encoded.mean(0) * 255).mean() > 2  # bytes averaged as bytes are darker


def test_an_interrupted_call_goes_on_and_the_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    file = write_video(tmp_path / "a.mkv", panned(0, 60))
    plan = plan_pairs([survey(file, [3, 5])], top=None)
    out, unfinished = tmp_path / "out", tmp_path / ".out.unfinished"

    def stop_at_the_fourth(_: int, calls: list[int] = []) -> None:  # noqa: B006
        calls.append(0)
        if len(calls) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pairs(plan, out, counts=[3, 5], workers=1, progress=stop_at_the_fourth)
    assert not out.exists()
    whole = [pair.files(unfinished) for pair in plan[0][1] if all(file.exists() for file in pair.files(unfinished))]
    before = {file.relative_to(unfinished): file.stat().st_mtime_ns for files in whole for file in files}
    assert before
    made = write_pairs(plan, out, counts=[3, 5], workers=2, progress=lambda _: None)
    assert not unfinished.exists()
    assert {name: (out / name).stat().st_mtime_ns for name in before} == before
    written = sorted(out.rglob("*.png"))
    assert len(written) == 2 * made.total() == 2 * sum(map(len, survey(file, [3, 5]).scenes))
    for path in written:
        assert decode_file(path).shape == (48, 64, 3)

    write_pairs(plan, out, counts=[3, 5], workers=2, progress=lambda _: None)  # nothing to do
    with pytest.raises(ValueError, match="holds something else already: name another folder"):
        write_pairs(plan, out, counts=[3], workers=2, progress=lambda _: None)
