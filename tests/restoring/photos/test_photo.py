"""What is written is the file that was read, with new pixels."""

import contextlib
import io
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, JpegImagePlugin
from PIL.PngImagePlugin import PngInfo

from deblurlab.pictures import tiff_samples
from deblurlab.pictures.picture import RefusedPictureError
from deblurlab.pictures.png_chunks import with_chunks_of
from deblurlab.restoring.photos import Photo, bmp, read, write
from tests.pictures import picture

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PIXELS = picture(0, 40, 60)
DEEP = (np.random.default_rng(0).integers(0, 65536, (40, 60, 3))).astype(np.uint16)
ALPHA = np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1))


def exif(orientation: int = 6) -> Image.Exif:
    tags = Image.Exif()
    tags[274], tags[271] = orientation, "a camera"
    tags.get_ifd(0x8769)[33434] = 0.01  # the exposure time
    return tags


def darker(file: Path, **options: Any) -> Photo:
    """A file read, darkened and written to out/, read again."""
    photo = read(file)
    out = file.parent / "out" / file.name
    write(photo.with_pixels(photo.picture.pixels // 2), out, **options)
    assert not list(out.parent.glob("*.partial"))
    return read(out)


LOSSLESS = [
    ("a.png", {}),
    ("a.webp", {"lossless": True, "exact": True}),
]


@pytest.mark.parametrize(("name", "options"), LOSSLESS)
@pytest.mark.parametrize("with_alpha", [False, True])
def test_eight_bits_with_all_that_belongs_to_them(
    name: str, options: dict[str, Any], with_alpha: bool, tmp_path: Path
) -> None:
    pixels = np.dstack([PIXELS, ALPHA]) if with_alpha else PIXELS
    file = tmp_path / name
    Image.fromarray(pixels).save(file, exif=exif(), icc_profile=PROFILE, **options)
    new = darker(file)
    np.testing.assert_array_equal(new.picture.pixels, PIXELS // 2)
    if with_alpha:
        np.testing.assert_array_equal(new.picture.alpha, ALPHA)
    with Image.open(file) as before, Image.open(new.file) as after:
        assert (after.format, after.mode, after.info["icc_profile"]) == (before.format, before.mode, PROFILE)
        assert after.getexif()[274] == 6
        assert after.getexif()[271] == "a camera"
        assert after.getexif().get_ifd(0x8769)[33434] == pytest.approx(0.01)


@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_jpeg_keeps_its_quality_and_its_exif(subsampling: int, tmp_path: Path) -> None:
    file = tmp_path / "a.JPG"
    options = {"exif": exif(), "icc_profile": PROFILE, "progressive": True, "dpi": (300, 300), "comment": b"hello"}
    Image.fromarray(PIXELS).save(file, "JPEG", quality=83, subsampling=subsampling, **options)
    new = darker(file)
    expected = io.BytesIO()
    Image.fromarray(read(file).picture.pixels // 2).save(
        expected, "JPEG", quality=83, subsampling=subsampling, **options
    )
    np.testing.assert_array_equal(new.picture.pixels, np.asarray(Image.open(expected)))
    with Image.open(file) as before, Image.open(new.file) as after:
        for key in ("exif", "icc_profile", "dpi", "comment", "progressive"):
            assert after.info[key] == before.info[key]
        assert after.quantization == before.quantization
    assert new.picture.upright().shape == (60, 40, 3)
    size = new.file.stat().st_size
    assert darker(file, quality=20).file.stat().st_size < size


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
@pytest.mark.parametrize("quality", [None, 100])
def test_a_jpeg_keeps_its_subsampling_with_another_quality_and_in_cmyk(
    mode: str, quality: int | None, tmp_path: Path
) -> None:
    file, pixels = tmp_path / "a.jpg", np.zeros((40, 60, 3), np.uint8)
    pixels[:, ::2] = (255, 0, 0)  # lines of one pixel, which become one colour if two pixels share it
    Image.fromarray(pixels).convert(mode).save(file, quality=100, subsampling=0)
    photo = read(file)
    write(photo, tmp_path / "b.jpg", quality=quality)
    with Image.open(tmp_path / "b.jpg") as written:
        assert JpegImagePlugin.get_sampling(written) == 0
    assert np.abs(read(tmp_path / "b.jpg").picture.pixels.astype(int) - photo.picture.pixels).max() < 16


def test_a_lossless_webp_stays_lossless_behind_a_long_profile(tmp_path: Path) -> None:
    noise = DEEP.astype(np.uint8)
    profile = PROFILE + bytes(5000)
    Image.fromarray(noise).save(tmp_path / "a.webp", lossless=True, exact=True, icc_profile=profile)
    np.testing.assert_array_equal(darker(tmp_path / "a.webp").picture.pixels, noise // 2)


def test_an_8_bit_png_keeps_its_texts_and_its_gamma(tmp_path: Path) -> None:
    texts = PngInfo()
    texts.add_text("Author", "José")
    texts.add(b"gAMA", (45455).to_bytes(4, "big"))
    Image.fromarray(PIXELS).save(tmp_path / "a.png", pnginfo=texts)
    with Image.open(darker(tmp_path / "a.png").file) as after:
        assert (after.text["Author"], after.info["gamma"]) == ("José", 0.45455)


def test_a_tiffs_premultiplied_alpha_and_its_texts(tmp_path: Path) -> None:
    samples = np.dstack([PIXELS, ALPHA])
    artist = "José".encode()
    tifffile.imwrite(
        tmp_path / "a.tif",
        samples,
        photometric="rgb",
        extrasamples=["assocalpha"],
        extratags=[(315, 2, len(artist) + 1, artist, True)],
    )
    with tifffile.TiffFile(darker(tmp_path / "a.tif").file) as tiff:
        page = tiff.pages.first
        assert page.extrasamples == (tifffile.EXTRASAMPLE.ASSOCALPHA,)
        assert page.tags[315].value == "José"


def test_damaged_tiffs_are_named_whatever_their_decoder_says(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="rgb", compression="zlib")
    whole = (tmp_path / "a.tif").read_bytes()
    random, refused = np.random.default_rng(0), 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 4):
            damaged[place] = random.integers(256)
        (tmp_path / "b.tif").write_bytes(damaged)
        with contextlib.suppress(ValueError):
            read(tmp_path / "b.tif")
            continue
        refused += 1
    assert refused > 20


def test_a_phones_jpeg_with_a_second_picture_is_a_jpeg(tmp_path: Path) -> None:
    first = Image.fromarray(PIXELS)
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[first.resize((20, 20))], exif=exif())
    new = darker(tmp_path / "a.jpg")
    assert np.abs(new.picture.pixels.astype(int) - read(tmp_path / "a.jpg").picture.pixels // 2).mean() < 12
    with Image.open(new.file) as after:
        assert (after.format, after.getexif()[274]) == ("JPEG", 6)


def test_grey_stays_grey(tmp_path: Path) -> None:
    for mode, name in (("L", "a.png"), ("LA", "b.png"), ("L", "c.jpg")):
        Image.fromarray(PIXELS).convert(mode).save(tmp_path / name)
        with Image.open(darker(tmp_path / name).file) as after:
            assert after.mode == mode


def _png16(file: Path, samples: np.ndarray) -> None:
    """A 16-bit PNG with an ICC profile and EXIF, its chunks by Pillow's writer."""
    with io.BytesIO() as stream:
        Image.fromarray(PIXELS).save(stream, "PNG", exif=exif(), icc_profile=PROFILE)
        file.write_bytes(with_chunks_of(stream.getvalue(), imagecodecs.png_encode(samples)))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_16_bit_png(channels: int, tmp_path: Path) -> None:
    samples = np.dstack([DEEP, DEEP[..., :1]])[..., :channels]
    file = tmp_path / "a.png"
    _png16(file, np.ascontiguousarray(samples))
    new = darker(file)
    stored = cv2.imread(str(new.file), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    assert stored.dtype == np.uint16
    if channels > 2:
        np.testing.assert_array_equal(stored[..., 2::-1], DEEP // 2)
    else:
        np.testing.assert_array_equal(stored.squeeze(), DEEP[..., 0] // 2)
    if channels == 4:
        np.testing.assert_array_equal(stored[..., 3], DEEP[..., 0])
    with Image.open(new.file) as after:
        after.load()
        assert after.info["icc_profile"] == PROFILE
        assert after.getexif()[274] == 6


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff(dtype: Any, channels: int, compression: str | None, tmp_path: Path) -> None:
    samples = np.dstack([DEEP, DEEP[..., :1]])[..., :channels].squeeze().astype(dtype)
    file = tmp_path / "a.tif"
    tifffile.imwrite(
        file,
        samples,
        photometric="rgb" if channels > 1 else "minisblack",
        extrasamples=["unassalpha"] if channels == 4 else None,
        compression=compression,
        predictor=compression is not None,
        iccprofile=PROFILE,
        resolution=(300, 200),
        description="a description",
        extratags=[(274, 3, 1, 8, True), (271, 2, 0, "a camera", True)],
    )
    new = darker(file)
    expected = samples // 2
    if channels == 4:
        expected[..., 3] = samples[..., 3]
    with tifffile.TiffFile(new.file) as tiff:
        page = tiff.pages.first
        np.testing.assert_array_equal(page.asarray(), expected)
        assert {code: page.tags[code].value for code in (274, 271, 270, 282)} == {
            274: 8,
            271: "a camera",
            270: "a description",
            282: (300, 1),
        }
        assert page.tags[34675].value == PROFILE
        assert (page.compression == 1) == (compression is None)


def test_what_would_not_come_back_as_it_was_is_refused(tmp_path: Path) -> None:
    rgb = Image.fromarray(PIXELS)
    rgb.save(tmp_path / "two.webp", save_all=True, append_images=[Image.fromarray(255 - PIXELS)], lossless=True)
    rgb.save(tmp_path / "a.gif")
    tifffile.imwrite(tmp_path / "float.tif", PIXELS.astype(np.float32), photometric="rgb")
    tifffile.imwrite(tmp_path / "twelve.tif", DEEP[..., 0] >> 4, photometric="minisblack", bitspersample=12)
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    rgb.save(tmp_path / "whole.jpg", quality=95)
    (tmp_path / "half.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:2000])
    _png16(tmp_path / "whole.png", DEEP)
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:3000])
    for file, message in (
        ("two.webp", "holds 2 pictures"),
        ("a.gif", "is a GIF file, which is not read: save its picture as PNG first"),
        ("float.tif", "save it with 8 or 16 bits"),
        ("twelve.tif", "12 bits"),
        ("text.jpg", "cannot be read as a picture"),
        ("empty.png", "is empty"),
        ("half.jpg", "truncated"),
        ("half.png", "is truncated"),
        ("none.png", "No such file"),
    ):
        with pytest.raises(ValueError, match=message) as refused:
            read(tmp_path / file)
        assert file in str(refused.value)
        assert len(str(refused.value).splitlines()) == 1


def test_a_photograph_without_exif_gets_none(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.webp", "a.bmp"):
        Image.fromarray(PIXELS).save(tmp_path / name)
        with Image.open(darker(tmp_path / name).file) as after:
            assert "exif" not in after.info


def test_a_tiff_that_decodes_to_a_huge_picture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if Pillow has read another size from it than tifffile does."""
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="rgb")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ValueError, match=r"a\.tif is too large: .*pixels"):
        read(tmp_path / "a.tif")
    with pytest.raises(RefusedPictureError, match="is too large: 60x40 pixels"):
        tiff_samples.read((tmp_path / "a.tif").read_bytes(), None)


def test_cmyk_and_one_bit_come_back_as_what_screens_show(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).convert("CMYK").save(tmp_path / "a.jpg", icc_profile=b"a profile of inks", dpi=(300, 300))
    Image.fromarray(PIXELS).convert("CMYK").save(tmp_path / "b.tif", icc_profile=b"a profile of inks")
    for name in ("a.jpg", "b.tif"):
        with Image.open(darker(tmp_path / name).file) as after:
            assert (after.mode, after.info.get("icc_profile")) == ("RGB", None)
            assert name == "b.tif" or after.info["dpi"] == (300, 300)
    for name in ("c.png", "d.bmp", "e.tif"):
        Image.fromarray(PIXELS).convert("1").save(tmp_path / name)
        with Image.open(darker(tmp_path / name).file) as after:
            assert after.mode == "L"


def test_a_bmps_transparency(tmp_path: Path) -> None:
    bmp_file = bmp.encoded(np.dstack([PIXELS, ALPHA]), dpi=(300, 200))
    (tmp_path / "a.bmp").write_bytes(bmp_file)
    with Image.open(tmp_path / "a.bmp") as image:
        np.testing.assert_array_equal(np.asarray(image), np.dstack([PIXELS, ALPHA]))
        assert image.info["dpi"] == pytest.approx((300, 200), abs=0.1)
    new = darker(tmp_path / "a.bmp")
    np.testing.assert_array_equal(new.picture.pixels, PIXELS // 2)
    np.testing.assert_array_equal(new.picture.alpha, ALPHA)


def test_a_jpegs_segments_stay_as_they_are(tmp_path: Path) -> None:
    """EXIF of more than one segment, which Pillow joins and cannot write, oddly typed tags, XMP and IPTC."""
    whole = io.BytesIO()
    Image.fromarray(PIXELS).save(whole, "JPEG", quality=90)
    tags = Image.Exif()
    tags[282], tags[274] = 300.0, 6
    contents = [
        (0xE1, tags.tobytes()),
        (0xE1, b"Exif\0\0" + bytes(60000)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        (0xED, b"Photoshop 3.0\0" + bytes(10)),
        (0xE2, b"FPXR\0" + bytes(40)),  # shares its marker with the profile, and holds other sizes of the old pixels
        (0xFE, b"a comment"),
    ]
    segments = [bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body for marker, body in contents]
    (tmp_path / "a.jpg").write_bytes(whole.getvalue()[:2] + b"".join(segments) + whole.getvalue()[2:])
    new = darker(tmp_path / "a.jpg")
    written = new.file.read_bytes()
    assert new.picture.orientation == 6
    for kept, segment in zip((True, True, True, True, False, True), segments, strict=True):
        assert written.count(segment) == kept


def test_a_palette_of_one_pixel(tmp_path: Path) -> None:
    one = Image.new("P", (1, 1))
    one.putpalette([10, 20, 30])
    one.save(tmp_path / "a.png")
    np.testing.assert_array_equal(darker(tmp_path / "a.png").picture.pixels, [[[5, 10, 15]]])
