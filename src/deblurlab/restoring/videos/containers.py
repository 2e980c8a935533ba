"""The container formats of videos: FFmpeg's names, and the codecs that each of them takes here."""

import logging
from pathlib import Path
from typing import NamedTuple

from deblurlab.pictures.folders import LeftOut

log = logging.getLogger(__name__)


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
# x264 stores B-frames, those that refer to later ones, so coarsely that the noise in them is lost and their brightness
# changes: every second frame of a still scene is brighter. Without them, too, AVI's frames keep their order: it has no
# times.
_X264 = _NEARLY_LOSSLESS | {"bf": "0"}
# Unless H.264 in AVI says how long each frame waits to be shown, FFmpeg takes it to be one frame. x264 writes this with
# the limits of a bit rate only; these are so high that they limit nothing.
_X264_IN_AVI = _X264 | {"x264-params": "nal-hrd=vbr:vbv-maxrate=300000:vbv-bufsize=300000"}
_CONTAINERS = {
    ".mp4": Container("mp4", "libx264", "aac", _X264),
    ".mov": Container("mov", "libx264", "aac", _X264),
    ".m4v": Container("ipod", "libx264", "aac", _X264),
    ".mkv": Container("matroska", "libx264", "flac", _X264),
    ".avi": Container("avi", "libx264", "pcm_s16le", _X264_IN_AVI),
    ".webm": Container("webm", "libvpx-vp9", "libopus", _NEARLY_LOSSLESS),
}
SUFFIXES = set(_CONTAINERS)


def find_videos(root: Path) -> list[Path]:
    """A file as it is, or the videos below a folder, sorted.

    Raises:
        ValueError: if there is no such file, or the folder holds no videos.
    """
    if root.is_file():
        return [root]
    left_out = LeftOut(SUFFIXES)
    files = sorted(file for file in root.rglob("*") if file.is_file() and left_out.takes(file.relative_to(root)))
    for line in left_out.lines():
        log.info(f"{root}: {line}")
    if not files:
        supported = " ".join(sorted(SUFFIXES))
        raise ValueError(f"root={root} is neither a video nor a folder of videos. Supported: {supported}")
    return files


def container_of(file: Path) -> Container:
    """The container format that a file's suffix stands for."""
    return _CONTAINERS[file.suffix.lower()]
