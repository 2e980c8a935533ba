"""The container formats of videos: FFmpeg's names, and the codecs that each of them takes here."""

from pathlib import Path
from typing import NamedTuple


class Container(NamedTuple):
    """A container format.

    Attributes:
        name: What FFmpeg calls it.
        picture: The codec of the picture.
        sound: The codec of sound that the container cannot hold as it is: lossless where there is such a one.
        options: Options of the picture's codec.
    """

    name: str
    picture: str
    sound: str
    options: dict[str, str]


_NEARLY_LOSSLESS = {"crf": "16"}  # the constant rate factor of x264 and VP9: smaller is better
_CONTAINERS = {
    ".mp4": Container("mp4", "libx264", "aac", _NEARLY_LOSSLESS),
    ".mov": Container("mov", "libx264", "aac", _NEARLY_LOSSLESS),
    ".m4v": Container("ipod", "libx264", "aac", _NEARLY_LOSSLESS),
    ".mkv": Container("matroska", "libx264", "flac", _NEARLY_LOSSLESS),
    # AVI has no times but the order of the frames: frames that refer to later ones would change places.
    ".avi": Container("avi", "libx264", "pcm_s16le", _NEARLY_LOSSLESS | {"bf": "0"}),
    ".webm": Container("webm", "libvpx-vp9", "libopus", _NEARLY_LOSSLESS),
}
SUFFIXES = set(_CONTAINERS)


def container_of(file: Path) -> Container:
    """The container format that a file's suffix stands for."""
    return _CONTAINERS[file.suffix.lower()]
