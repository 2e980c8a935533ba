"""What is found in a video, and what of bad ones is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deblurlab.data.preparing.video_plan import plan_pairs
from deblurlab.data.preparing.video_survey import Stretch, Survey, moved, survey
from deblurlab.pictures import films
from tests.pictures import panned, picture, two_sizes, write_video

av = pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")


def test_scenes_and_stretches_without_motion(tmp_path: Path) -> None:
    first, second = panned(0, 14), panned(1, 9)
    still = [first[-1]] * 10
    file = write_video(tmp_path / "a.mkv", [*first, *still, *second])
    found = survey(file, [3, 5])
    assert (found.rate, found.size, found.frames) == (240, (48, 64), 33)
    assert found.scenes == [[(0, 3), (3, 5), (8, 3), (11, 5)], [(24, 3), (27, 5)]]
    assert found.still == 2  # frames 16 to 18 and 19 to 23


def test_noise_and_flickering_light_are_no_motion_and_an_object_is() -> None:
    random = np.random.default_rng(0)
    scene = random.uniform(0, 255, (30, 40))
    assert not moved(scene, scene + random.normal(0, 5 / 16, scene.shape))  # of 5 levels per pixel, in blocks of 16
    assert not moved(scene, scene + 8)
    scene_with_a_walker = scene.copy()
    scene_with_a_walker[10:15, 20:23] += 20
    assert moved(scene, scene_with_a_walker)


def test_frames_are_read_upright(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as writer:
        stream = writer.add_stream("libx264", rate=240)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(90)
        writer.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0, 48, 64), format="rgb24")))
        writer.mux(stream.encode(None))
    frame = films.first_frame(tmp_path / "a.mp4")
    np.testing.assert_array_equal(
        films.upright(frame), np.rot90(films.in_rgb(frame))
    )  # a quarter turn counterclockwise


def only_sound(file: Path) -> Path:
    with av.open(str(file), "w") as writer:
        heard = writer.add_stream("flac", rate=48000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        sound.rate = 48000
        writer.mux(heard.encode(sound))
        writer.mux(heard.encode(None))
    return file


def no_video(file: Path) -> Path:
    file.write_text("no video")
    return file


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: write_video(file, [picture(0, 48, 64)] * 20), "nothing moves in its 20 frames.*Move the camera"),
        (lambda file: write_video(file, panned(0, 20), rate=24), "24 frames per second: .* Film at 120 or 240"),
        (two_sizes, "size changes from 64x48 to 32x24. Cut it into one file per size"),
        (lambda file: write_video(file, panned(0, 6)), "has 6 frames in 1 scene, too few to average 7 .*film longer"),
        (only_sound, "has no picture"),
        (no_video, "cannot be read as a video"),
    ],
)
def test_a_bad_video_is_named_with_what_can_be_done(make: Callable[[Path], Any], words: str, tmp_path: Path) -> None:
    file = make(tmp_path / "clip.mkv")
    with pytest.raises(ValueError, match=rf"^{file}.*{words}"):
        survey(file, [7])


def test_a_clip_that_is_played_slowly_is_taken_at_its_user_s_word(tmp_path: Path) -> None:
    file = write_video(tmp_path / "a.mkv", panned(0, 9), rate=30)
    assert survey(file, [3], rate=240).rate == 240


def surveyed(name: str, *scenes: int) -> Survey:
    """A video whose scenes give so many pairs each."""
    stretches = [[Stretch(7 * number, 7) for number in range(count)] for count in scenes]
    return Survey(Path("clips", name), 240, (48, 64), 999, stretches, 0)


def test_scenes_are_divided_as_a_whole(caplog: pytest.LogCaptureFixture) -> None:
    ((_, pairs),) = plan_pairs([surveyed("a.mp4", *[4] * 20)], top=None)
    splits = {scene: {pair.split for pair in pairs if pair.scene == scene} for scene in {pair.scene for pair in pairs}}
    assert all(len(split) == 1 for split in splits.values())
    counts = [sum({name} == split for split in splits.values()) for name in ("train", "val", "test")]
    assert counts == [16, 2, 2]
    assert [pair.name for pair in pairs[:5]] == ["000000.png", "000001.png", "000002.png", "000003.png", "000000.png"]
    assert caplog.text == ""


def test_clips_of_a_folder_are_divided_as_a_whole() -> None:
    plan = plan_pairs([surveyed(f"{name}.mp4", 3, 5) for name in "abc"], top=Path("clips"))
    splits = [{pair.split for pair in pairs} for _, pairs in plan]
    assert sorted(split for one in splits for split in one) == ["test", "train", "val"]
    assert all(len(one) == 1 for one in splits)


@pytest.mark.parametrize("names", [("a.mp4", "a.mov", "b.mp4"), ("a/b.mp4", "a_b.mp4", "c.mp4")])
def test_videos_whose_scenes_would_have_one_name_are_refused(names: tuple[str, ...]) -> None:
    both = " and ".join(f"clips/{name}" for name in names[:2])
    with pytest.raises(ValueError, match=rf"^{both} would have scenes of one name"):
        plan_pairs([surveyed(name, 3, 5) for name in names], top=Path("clips"))


def test_one_scene_is_cut_in_time_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    ((_, pairs),) = plan_pairs([surveyed("a.mp4", 16)], top=None)
    assert [pair.split for pair in pairs] == ["train"] * 12 + ["val"] * 2 + ["test"] * 2
    assert "scores on them are too good" in caplog.text
    with pytest.raises(ValueError, match=r"gives 2 frame pairs .* film longer"):
        plan_pairs([surveyed("a.mp4", 2)], top=None)
