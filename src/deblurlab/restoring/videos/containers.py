"""The container formats of videos: FFmpeg's names, and the codecs used in each of them."""

import logging
from pathlib import Path
from typing import NamedTuple

from deblurlab.pictures.folders import LeftOut, files_below

log = logging.getLogger(__name__)


class Container(NamedTuple):
    """A container format.

    Attributes:
        name: FFmpeg's name of the format.
        picture: The codec of the picture.
        sound: The codec for sound that the container cannot hold unchanged; lossless if possible.
        options: Options of the picture's codec.
    """

    name: str
    picture: str
    sound: str
    options: dict[str, str]


_NEARLY_LOSSLESS = {"crf": "16"}  # the constant rate factor of x264 and VP9: smaller is better
# No B-frames (frames that refer to later ones): x264 stores them so coarsely that the noise in them is lost and their
# brightness changes, so that every second frame of a still scene is brighter. Also, without B-frames the frames of AVI,
# which stores no times, stay in order.
_X264 = _NEARLY_LOSSLESS | {"bf": "0"}
# Unless H.264 in AVI states the delay until a frame is shown, FFmpeg assumes one frame. x264 only writes it together
# with limits of the bit rate; these are so high that they have no effect.
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
    """The videos below a folder, sorted, or ``root`` itself if it is a file.

    Raises:
        ValueError: If there is no such file, or the folder holds no videos.
    """
    if root.is_file():
        return [root]
    left_out = LeftOut(SUFFIXES)
    files = sorted(file for file in files_below(root) if left_out.takes(file, root))
    for line in left_out.lines():
        log.info(f"{root}: {line}")
    if not files:
        supported = " ".join(sorted(SUFFIXES))
        raise ValueError(f"root={root} is neither a video nor a folder of videos. Supported: {supported}")
    return files


def container_of(file: Path) -> Container:
    """The container format of a file according to its suffix."""
    return _CONTAINERS[file.suffix.lower()]
