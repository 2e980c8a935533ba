"""Lossless and lossy WebP files, in the simple container and in the extended one, are told apart."""

import io

import pytest
from PIL import Image

from deblurlab.restoring.photos import webp
from tests.pictures import picture


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("profile", [b"", b"an odd number of bytes.", b"an even number of bytes."])
def test_lossless_or_not(lossless: bool, profile: bytes) -> None:
    stream = io.BytesIO()
    Image.fromarray(picture(0, 20, 30)).save(stream, "WEBP", lossless=lossless, icc_profile=profile)
    names = list(webp.chunk_names(stream.getvalue()))
    assert webp.is_lossless(stream.getvalue()) == lossless
    assert (b"ICCP" in names) == bool(profile)
    assert names[-1] in (b"VP8L", b"VP8 ")


def test_a_file_that_ends_early_has_fewer_chunks() -> None:
    assert not webp.is_lossless(b"RIFF")
    assert list(webp.chunk_names(b"RIFF\x10\0\0\0WEBPVP8L\xff\0\0\0")) == [b"VP8L"]
