import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from deblurlab import pictures
from deblurlab.data.pixels import decode, resize
from tests.pictures import picture


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def test_plain_png_is_read_exactly() -> None:
    pixels = picture(0)
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(pixels)), "a.png"), pixels)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA"])
def test_other_modes_become_rgb(mode: str) -> None:
    image = Image.fromarray(picture(1)).convert(mode)
    np.testing.assert_array_equal(decode(encoded(image), "a.png"), np.asarray(image.convert("RGB")))


def test_sixteen_bit_grey_keeps_its_upper_byte() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    read = decode(encoded(Image.fromarray(values)), "a.png")
    np.testing.assert_array_equal(read, np.repeat((values >> 8).astype(np.uint8)[..., None], 3, axis=2))


def test_sixteen_bit_colour_keeps_its_upper_byte() -> None:
    values = np.random.default_rng(0).integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    data = cv2.imencode(".png", values[..., ::-1])[1].tobytes()
    np.testing.assert_array_equal(decode(data, "a.png"), values >> 8)


def test_cmyk_jpeg_has_the_right_colours() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    mean = decode(encoded(red, "JPEG", quality=95), "a.jpg").mean(axis=(0, 1))
    assert mean[0] > 240
    assert mean[1:].max() < 15


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation_is_applied(orientation: int, form: str, tmp_path: Path) -> None:
    stored = np.zeros((16, 32, 3), dtype=np.uint8)
    stored[:8, :8] = 255  # the stored top left corner
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / "a"
    file.write_bytes(encoded(Image.fromarray(stored), form, exif=exif))
    upright = decode(file.read_bytes(), "a")
    assert upright.shape[:2] == pictures.size(file, "a") == ((16, 32) if orientation < 5 else (32, 16))
    # EXIF 2.3, tag 274: where the stored row 0 and column 0 are to be seen
    bottom, right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    height, width = upright.shape[:2]
    assert upright[height - 4 if bottom else 4, width - 4 if right else 4].min() > 200
    assert upright.mean() < 60


def test_transparent_pixels_are_refused() -> None:
    image = Image.fromarray(picture(2)).convert("RGBA")
    image.putpixel((3, 3), (0, 0, 0, 100))
    with pytest.raises(ValueError, match=r"a\.png is partly transparent"):
        decode(encoded(image), "a.png")


def test_truncated_and_damaged_files_are_named() -> None:
    data = encoded(Image.fromarray(picture(3)))
    for cut in range(0, len(data) - 13, 97):  # short of the IEND chunk, which holds no pixels
        with pytest.raises(ValueError, match=r"^x y/ü\.png "):
            decode(data[:cut], "x y/ü.png")
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 0x40
    with pytest.raises(ValueError, match=r"a\.png is damaged: the checksum of its chunk IDAT is wrong"):
        decode(bytes(flipped), "a.png")


def test_text_is_no_picture() -> None:
    with pytest.raises(ValueError, match=r"a\.png cannot be read as a picture"):
        decode(b"hello", "a.png")


def test_huge_dimensions_are_refused_without_memory() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(ValueError, match=r"a\.png is too large"):
        decode(data, "a.png")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_dimensions_decode_no_pixels(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of large photographs is looked through quickly, whatever getexif of a format does in Pillow.

    Pillow's getexif of a PNG without EXIF before its pixels decodes them, so ``size`` takes the base class's.
    This fails if the base class comes to decode them, too.
    """

    def decoded(image: Image.Image) -> None:
        raise AssertionError("pixels were decoded")

    (tmp_path / "a").write_bytes(encoded(Image.fromarray(picture(0)), form))
    with Image.open(tmp_path / "a") as image:
        monkeypatch.setattr(type(image), "load", decoded)
    assert pictures.size(tmp_path / "a", "a") == (36, 64)


def test_plain_resize_agrees_with_opencv() -> None:
    pixels = picture(4, 72, 128)
    expected = cv2.resize(pixels, (48, 28), interpolation=cv2.INTER_LINEAR).astype(int)
    assert np.abs(resize(pixels, (28, 48), antialias=False) - expected).max() <= 1


def test_antialiased_resize_keeps_the_mean_of_fine_stripes() -> None:
    stripes = np.zeros((40, 80, 3), dtype=np.uint8)
    stripes[:, ::2] = 200
    smooth = resize(stripes, (16, 32), antialias=True).astype(float)
    assert np.abs(smooth[:, 2:-2] - 100).max() < 12
    assert np.abs(resize(stripes, (16, 32), antialias=False) - 100.0).max() == 50


@pytest.mark.parametrize("antialias", [True, False])
def test_resize_keeps_positions(antialias: bool) -> None:
    """A linear ramp resized is the same ramp at the new pixel centres: no shift, not even of a part of a pixel."""
    ramp = np.tile((np.arange(250) + 0.0).round().astype(np.uint8)[None, :, None], (100, 1, 3))
    resized = resize(ramp, (40, 100), antialias=antialias)
    centres = (np.arange(100) + 0.5) * 2.5 - 0.5
    assert np.abs(resized[20, 5:-5, 0] - centres[5:-5]).max() <= 0.51
