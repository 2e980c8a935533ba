"""Bit depths and chunks of PNG files, as other libraries write and read them."""

import io
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from deblurlab import pictures
from deblurlab.pictures import png_chunks
from deblurlab.restoring.photos import png
from tests.pictures import picture

PIXELS = picture(0, 20, 30)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_bit_depth_of_palettes(bits: int, tmp_path: Path) -> None:
    Image.fromarray(PIXELS).quantize(2**bits).save(tmp_path / "a.png", bits=bits)
    assert png_chunks.bit_depth((tmp_path / "a.png").read_bytes()) == bits


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_bit_depth_and_samples(dtype: type, channels: int, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (20, 30, channels), dtype=dtype)
    cv2.imwrite(str(tmp_path / "a.png"), samples)
    bits = np.iinfo(dtype).bits
    assert png_chunks.bit_depth((tmp_path / "a.png").read_bytes()) == bits
    if bits == 16:
        rgb = samples[..., [2, 1, 0, 3][:channels]] if channels > 1 else samples  # OpenCV writes BGR
        found = pictures.read_file(tmp_path / "a.png")
        np.testing.assert_array_equal(found.pixels, np.broadcast_to(rgb[..., :3], (20, 30, 3)))
        if channels == 4:
            np.testing.assert_array_equal(found.alpha, rgb[..., 3])


def test_chunks_are_the_whole_file_and_their_checksums_are_right() -> None:
    texts = PngInfo()
    texts.add_text("Author", "José")
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "PNG", pnginfo=texts, dpi=(300, 300))
    found = list(png_chunks.chunks(stream.getvalue()))
    assert [found[0][0], found[-1][0]] == [b"IHDR", b"IEND"]
    assert {b"pHYs", b"tEXt", b"IDAT"} <= {name for name, _ in found}
    assert stream.getvalue() == b"\x89PNG\r\n\x1a\n" + b"".join(chunk for _, chunk in found)
    for name, chunk in found:
        assert chunk[4:8] == name
        assert int.from_bytes(chunk[-4:], "big") == zlib.crc32(chunk[4:-4])


@pytest.mark.parametrize("shape", [(4000, 1, 1), (4000, 1, 3), (900, 4, 1), (1, 4000, 4), (1, 1, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_noise_of_any_shape_is_written(shape: tuple[int, int, int], dtype: type) -> None:
    samples = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    found = pictures.read(png.encoded(samples), "a.png")
    np.testing.assert_array_equal(found.pixels, np.broadcast_to(samples[..., :3], (*shape[:2], 3)))
