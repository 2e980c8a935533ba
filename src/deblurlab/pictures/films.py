"""Reads the frames of a video file, for training and restoring. This needs PyAV, the extra ``video``."""

import logging
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deblurlab.pictures.picture import Samples
from deblurlab.pictures.regular_file import require_file

if TYPE_CHECKING:
    from av import FFmpegError, VideoFrame, VideoStream
    from av.container import InputContainer

# FFmpeg's own lines name no file, and its errors are raised as well.
logging.getLogger("libav").setLevel(logging.CRITICAL)
# Flags of FFmpeg's swscale for conversions between YUV and RGB: bilinear, rounded exactly, with a colour for each pixel
# of RGB. By default RGB would be up to two levels too dark, and the grey of YUV a level off.
EXACTLY = 0x2 | 0x40000 | 0x2000  # SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT


def require_pyav(file: Path) -> None:
    """Raise ValueError if PyAV, which is needed to read ``file``, is not installed."""
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise ValueError(f"{file} is a video, which needs PyAV: pip install 'deblurlab[video]'.") from error


@contextmanager
def opened(file: Path) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """Open a video file and its first picture stream while the body runs.

    Raises:
        ValueError: If it is not a video, cannot be decoded or has no picture; the message names the file.
    """
    require_pyav(file)
    require_file(file)
    import av

    try:
        with av.open(str(file)) as reader:
            if (stream := first_picture(reader)) is None:
                raise ValueError(f"{file} has no picture.")
            yield reader, stream
    except av.FFmpegError as error:
        raise not_read(file, error) from error


def not_read(file: Path, error: "FFmpegError") -> ValueError:
    """The error for a video that FFmpeg cannot read: its reason in words, and what may be wrong with the file."""
    import av

    advice = " It is damaged, cut short, or no video." if isinstance(error, av.InvalidDataError) else ""
    return ValueError(f"{file} cannot be read as a video: {error.strerror}.{advice}")


def first_picture(reader: "InputContainer") -> "VideoStream | None":
    """The first picture stream that is not a cover."""
    from av.stream import Disposition

    return next((one for one in reader.streams.video if not one.disposition & Disposition.attached_pic), None)


def frames(file: Path) -> Generator["VideoFrame", None, None]:
    """Decode the frames of a video, in the order in which they are shown.

    Raises:
        ValueError: As for :func:`opened`, and if the file holds no frames or its frames change their size.
    """
    first: VideoFrame | None = None
    with opened(file) as (reader, stream):
        for number, frame in enumerate(reader.decode(stream)):
            first = frame if first is None else first
            require_size(frame, (first.width, first.height), f"{file}, frame {number}")
            yield frame
    if first is None:
        raise ValueError(f"{file} has no picture: it holds no frames.")


def first_frame(file: Path) -> "VideoFrame":
    """The first frame of a video; ValueError as for :func:`frames`."""
    with closing(frames(file)) as found:
        return next(found)


def require_size(frame: "VideoFrame", size: tuple[int, int], name: str) -> None:
    """Raise ValueError if a frame does not have the width and height of the video's first frame."""
    if (frame.width, frame.height) != size:
        raise ValueError(
            f"{name}: the video's size changes from {size[0]}x{size[1]} to {frame.width}x{frame.height}. "
            "Cut it into one file per size."
        )


def in_rgb(frame: "VideoFrame") -> Samples:
    """The pixels of a frame as it is stored, (H, W, 3) uint8."""
    return frame.reformat(format="rgb24", interpolation=EXACTLY).to_ndarray()


def upright(frame: "VideoFrame") -> Samples:
    """The pixels of a frame, rotated upright, (H, W, 3) uint8 RGB."""
    return np.ascontiguousarray(np.rot90(in_rgb(frame), round(frame.rotation / 90)))
