"""Restores one frame of a video: from the codec's YUV to RGB and back, without changing pixels that stay the same."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deblurlab.pictures import Samples
from deblurlab.pictures.films import EXACTLY, in_rgb

if TYPE_CHECKING:
    from av import VideoFrame

Planes = list[npt.NDArray[np.int16]]


def restored_frame(
    frame: "VideoFrame", restore_pixels: Callable[[Samples], Samples], *, height: int, width: int
) -> "VideoFrame":
    """Restore a frame and crop it to ``height`` and ``width``, with the time and the colour space of the old one.

    The conversions between YUV and RGB round, and RGB clips colours that YUV can hold. So the result is the old frame
    plus the difference between the restored and the unrestored pixels in YUV. Where these are equal, nothing changes,
    except that colours get half the resolution and 8 bits.

    Args:
        frame: The frame.
        restore_pixels: Returns restored pixels, (H, W, 3) uint8 RGB, for blurred ones of the same shape.
        height: Height of the result, even.
        width: Width of the result, even.
    """
    import av

    pixels = in_rgb(frame)
    old = _planes(_in_yuv(frame, frame), height, width)
    before, after = (
        _planes(_in_yuv(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"), frame), height, width)
        for rgb in (pixels, restore_pixels(pixels))
    )
    new = [
        (plane + sharp - blurred).clip(0, 255).astype(np.uint8)
        for plane, blurred, sharp in zip(old, before, after, strict=True)
    ]
    stacked = np.concatenate([plane.ravel() for plane in new]).reshape(height * 3 // 2, width)
    made = av.VideoFrame.from_ndarray(stacked, format="yuv420p")
    made.colorspace, made.color_range = frame.colorspace, frame.color_range
    made.pts, made.time_base = frame.pts, frame.time_base
    return made


def _in_yuv(frame: "VideoFrame", like: "VideoFrame") -> "VideoFrame":
    """A frame in YUV with halved colours (4:2:0), in the colour space and range of another frame."""
    return frame.reformat(
        format="yuv420p",
        dst_colorspace=like.colorspace,
        dst_color_range=like.color_range,
        interpolation=EXACTLY,
    )


def _planes(frame: "VideoFrame", height: int, width: int) -> Planes:
    """The planes of a YUV frame: the brightness is cropped to (``height``, ``width``), the colours to half of that."""
    rows = [np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size) for plane in frame.planes]
    sizes = [(height, width), (height // 2, width // 2), (height // 2, width // 2)]
    return [plane[:high, :wide].astype(np.int16) for plane, (high, wide) in zip(rows, sizes, strict=True)]
