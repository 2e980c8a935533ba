"""Frames of films as RGB, against the formulas of BT.601 and BT.709."""

from pathlib import Path

import numpy as np
import pytest

from deblurlab.pictures import films
from tests.pictures import panned, write_video

av = pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")

WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114)}  # of red and blue in the brightness of BT.709 and BT.601


@pytest.mark.parametrize("form", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("space", [1, 5])
@pytest.mark.parametrize("wide", [1, 2])  # 16 to 235, 0 to 255
def test_rgb_is_that_of_the_formula_rounded(form: str, space: int, wide: int) -> None:
    frame = av.VideoFrame(96, 64, form)
    frame.colorspace, frame.color_range = space, wide
    brightness = np.random.default_rng(0).integers(110, 146, (64, frame.planes[0].line_size), dtype=np.uint8)
    frame.planes[0].update(brightness.tobytes())
    for plane, value in zip(frame.planes[1:], (120, 140), strict=True):  # one colour everywhere
        plane.update(bytes([value]) * plane.buffer_size)
    y, u, v = brightness[:, :96].astype(float), 120 - 128, 140 - 128
    if wide == 1:
        y, u, v = (y - 16) * 255 / 219, u * 255 / 224, v * 255 / 224
    of_red, of_blue = WEIGHTS[space]
    red, blue = y + 2 * (1 - of_red) * v, y + 2 * (1 - of_blue) * u
    green = (y - of_red * red - of_blue * blue) / (1 - of_red - of_blue)
    assert np.abs(films.in_rgb(frame) - np.stack((red, green, blue), axis=-1)).max() < 0.6


@pytest.mark.parametrize("content", ["cut", "text"])
def test_a_file_that_is_no_whole_video_is_told_in_words(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write_video(tmp_path / "clip.mp4", panned(0, 4), codec="libx264", pixels="yuv420p")
    file.write_bytes(file.read_bytes()[:1000] if content == "cut" else b"no video")
    with pytest.raises(
        ValueError, match=r"cannot be read as a video: .* It is damaged, cut short, or no video\.$"
    ) as told:
        films.first_frame(file)
    assert str(file) in str(told.value)
    assert "Errno" not in str(told.value)
    assert caplog.text == ""  # FFmpeg says "moov atom not found", and of which file it does not say
