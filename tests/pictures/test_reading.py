"""Pictures as phones, Macs, scanners and printers write them."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from deblurlab import pictures
from deblurlab.pictures.orientation import turned
from tests.pictures import picture

PIXELS = picture(0, 20, 30)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    with io.BytesIO() as stream:
        image.save(stream, form, **options)
        return stream.getvalue()


def exif(orientation: Any, kind: int = 3) -> bytes:
    """EXIF that says an orientation, as a value of a TIFF type: 3 is short, the right one."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[274], tags.tagtype[282] = kind, 2
    tags[274], tags[282] = orientation, "300"  # a resolution as a text, which is a fraction
    return b"Exif\0\0II*\0\x08\0\0\0" + tags.tobytes(8)


@pytest.mark.parametrize(
    ("orientation", "kind", "expected"),
    [(6, 3, 6), (6, 4, 6), ("6", 2, 1), (b"\x06", 1, 1), (b"\x06", 7, 1), (9, 3, 1), (0, 3, 1)],
)
def test_the_orientation_is_an_integer_from_1_to_8_whatever_other_tags_hold(
    orientation: Any, kind: int, expected: int
) -> None:
    data = encoded(Image.fromarray(PIXELS), "JPEG", exif=exif(orientation, kind), quality=95)
    found = pictures.read(data, "a.jpg")
    assert found.orientation == expected
    assert (
        found.upright().shape[:2]
        == pictures.size(io.BytesIO(data), "a.jpg")
        == ((30, 20) if expected == 6 else (20, 30))
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_pillow_turns(orientation: int) -> None:
    turns = Image.Transpose
    by_pillow = {2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM, 5: turns.TRANSPOSE}
    by_pillow |= {6: turns.ROTATE_270, 7: turns.TRANSVERSE, 8: turns.ROTATE_90}
    image = Image.fromarray(PIXELS)
    expected = image.transpose(by_pillow[orientation]) if orientation > 1 else image
    np.testing.assert_array_equal(turned(PIXELS, orientation), np.asarray(expected))


def png(pixels: np.ndarray, bits: int, *more: tuple[bytes, bytes, bool]) -> bytes:
    """A PNG file of grey pixels of so many bits, (H, W), with more chunks: name, content, whether after the pixels."""
    height, width = pixels.shape
    each = np.unpackbits(pixels.astype(f">u{max(1, bits // 8)}").view(np.uint8).reshape(height, width, -1), axis=2)
    rows = np.packbits(each[..., -bits:].reshape(height, -1), axis=1)
    content = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))]
    parts += [(name, chunk) for name, chunk, late in more if not late]
    parts += [(b"IDAT", content), *((name, chunk) for name, chunk, late in more if late), (b"IEND", b"")]
    checked = [struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(checked)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_transparent_grey_of_a_png_stays_grey_and_transparent(bits: int) -> None:
    values = np.arange(15 * 20).reshape(15, 20) % min(2**bits, 300)
    found = pictures.read(png(values, bits, (b"tRNS", struct.pack(">H", 1), False)), "a.png")
    assert found.grey
    assert found.alpha is not None
    np.testing.assert_array_equal(found.alpha == 0, values == 1)
    top = np.iinfo(found.pixels.dtype).max
    np.testing.assert_array_equal(found.pixels[..., 0], values * (top // (2**bits - 1)))
    assert (found.converted is None) == (bits > 1)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_the_orientation_of_a_png_may_follow_its_pixels(bits: int, late: bool) -> None:
    data = png(np.zeros((20, 30), int), bits, (b"eXIf", exif(6)[6:], late))
    assert pictures.read(data, "a.png").upright().shape == (30, 20, 3)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["1", "P"])
def test_one_bit_and_palettes_in_every_format(mode: str, form: str) -> None:
    image = Image.fromarray(PIXELS).convert(mode)
    found = pictures.read(encoded(image, form), "a")
    np.testing.assert_array_equal(found.pixels, np.asarray(image.convert("RGB")))
    assert (found.grey, found.converted is None) == (mode == "1", mode == "P")


def test_a_tiff_from_white_to_black() -> None:
    with io.BytesIO() as stream:
        tifffile.imwrite(stream, 255 - PIXELS[..., 0], photometric="miniswhite")
        np.testing.assert_array_equal(pictures.read(stream.getvalue(), "a").pixels[..., 0], PIXELS[..., 0])


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(form: str) -> None:
    found = pictures.read(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), form), "a")
    assert np.abs(found.pixels.astype(int) - (255, 0, 0)).max() < 15
    assert (found.converted, found.profile) == ("CMYK became RGB", None)


def test_a_damaged_profile_of_inks_is_passed_over() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    found = pictures.read(encoded(red, "TIFF", icc_profile=b"no profile"), "a")
    assert np.abs(found.pixels.astype(int) - (255, 0, 0)).max() < 15


def test_a_png_with_a_large_text_and_a_large_profile(caplog: pytest.LogCaptureFixture) -> None:
    texts = PngInfo()
    texts.add_text("Description", "x" * 2_000_000, zip=True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(2_000_000)
    data = encoded(Image.fromarray(PIXELS), "PNG", pnginfo=texts, icc_profile=profile)
    np.testing.assert_array_equal(pictures.read(data, "a.png").pixels, PIXELS)
    assert pictures.size(io.BytesIO(data), "a.png") == (20, 30)
    assert caplog.text == "", "libpng warns of what stands behind the profile"


def test_an_interlaced_png_of_16_bits(caplog: pytest.LogCaptureFixture) -> None:
    """Its rows come in the seven passes of Adam7: the first pixel, row, step down and step across of each."""
    pixels = np.random.default_rng(0).integers(0, 65536, (13, 17, 3), dtype=np.uint16)
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = [row for top, left, down, across in passes for row in pixels[top::down, left::across]]
    content = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", 17, 13, 16, 2, 0, 0, 1)
    data = b"\x89PNG\r\n\x1a\n"
    for name, chunk in ((b"IHDR", header), (b"IDAT", content), (b"IEND", b"")):
        data += struct.pack(">I", len(chunk)) + name + chunk + struct.pack(">I", zlib.crc32(name + chunk))
    np.testing.assert_array_equal(pictures.read(data, "a.png").pixels, pixels)
    assert caplog.text == "", "libpng warns of every such picture"


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"\0\0\0\x20ftypheic\0\0\0\0mif1heic", "is a HEIC file, which is not read: save it as JPEG or PNG first"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif", "is an AVIF file, which is not read: save it as JPEG or PNG first"),
        (encoded(Image.fromarray(PIXELS), "GIF"), "is a GIF file, which is not read: save its picture as PNG first"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "cannot be read as a picture: it is not a JPEG, PNG, TIFF, WebP or BMP file"),
    ],
)
def test_other_formats_are_named_with_what_to_do(start: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(start)
    for read in (pictures.read_file, lambda file: pictures.size(file, str(file))):
        with pytest.raises(ValueError, match=f"a.jpg {message}"):
            read(tmp_path / "a.jpg")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint32])
@pytest.mark.parametrize("shape", [(20, 30, 3), (20, 30)])
def test_a_tiff_of_other_numbers_is_told_how_to_be_saved(shape: tuple[int, ...], dtype: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, np.zeros(shape, dtype), photometric="rgb" if len(shape) == 3 else "minisblack")
    with pytest.raises(ValueError, match=r"a\.tif .*[Ss]ave it with 8 or 16"):
        pictures.read_file(file)


def test_a_name_of_255_bytes(tmp_path: Path) -> None:
    file = tmp_path / ("é" * 125 + "0.png")
    Image.fromarray(PIXELS).save(file)
    np.testing.assert_array_equal(pictures.read_file(file).pixels, PIXELS)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB", "RGBA", "I;16"])
def test_a_flipped_bit_never_gives_other_pixels(mode: str) -> None:
    """Pillow does not look at the checksums of a PNG's pixels, and may have them all before zlib has seen its own."""
    image = Image.fromarray(picture(0, 24, 31))
    data = encoded(image.convert("L").convert("I;16") if mode == "I;16" else image.convert(mode), "PNG")
    whole = pictures.read(data, "whole").pixels
    refused = 0
    for position in range(8 * 8, 8 * len(data), 7):
        damaged = bytearray(data)
        damaged[position // 8] ^= 1 << position % 8
        try:
            read = pictures.read(bytes(damaged), "damaged").pixels
        except ValueError:
            refused += 1
        else:
            np.testing.assert_array_equal(read, whole)
    assert refused > len(data) / 2


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        *((mode, {}) for mode in ("L", "LA", "P", "RGB", "RGBA")),
        *((mode, {"transparency": 7}) for mode in ("L", "P")),
        ("RGB", {"transparency": tuple(PIXELS[3, 5].tolist())}),
        ("RGB", {"exif": exif(6)}),
    ],
)
def test_a_png_is_read_as_pillow_reads_it(mode: str, options: dict[str, Any]) -> None:
    data = encoded(Image.fromarray(PIXELS).convert(mode), "PNG", **options)
    found, reference = pictures.read(data, "a.png"), np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    np.testing.assert_array_equal(found.pixels, reference[..., :3])
    opaque = np.full(PIXELS.shape[:2], 255, np.uint8)
    np.testing.assert_array_equal(opaque if found.alpha is None else found.alpha, reference[..., 3])
    assert found.orientation == (6 if "exif" in options else 1)


def test_a_png_that_says_behind_its_pixels_how_it_lies() -> None:
    data = encoded(Image.fromarray(PIXELS), "PNG", exif=exif(6))
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    behind = data[:start] + data[end:-12] + data[start:end] + data[-12:]
    assert [pictures.read(png, "a.png").orientation for png in (data, behind)] == [6, 6]
