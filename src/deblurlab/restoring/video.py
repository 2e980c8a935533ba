"""Videos, frame by frame, where PyAV is installed."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from deblurlab.files.whole_file import whole_file
from deblurlab.restoring.photos import Samples

# What FFmpeg calls the container format of each suffix.
_CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi", ".m4v": "ipod", ".webm": "webm"}
SUFFIXES = set(_CONTAINERS)
_NEARLY_LOSSLESS = "16"  # x264's constant rate factor


def restore(source: Path, target: Path, restored: Callable[[Samples], Samples]) -> None:
    """Write ``target`` with every frame of ``source`` restored at its own time; sound is copied as it is.

    The picture is encoded anew, as H.264 (VP9 in WebM), with the source's rotation and colour space. Frame sizes are
    even there: an odd row or column is left out.

    Args:
        source: a video file.
        target: the file to write, of the same suffix.
        restored: (H, W, 3) uint8 to the same.

    Raises:
        ValueError: naming the file, if it is no video, or if PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise ValueError(f"{source} is a video, which needs PyAV: pip install 'deblurlab[video]'.") from error
    container = _CONTAINERS[target.suffix.lower()]
    try:
        with (
            whole_file(target) as partial,
            av.open(str(source)) as reader,
            av.open(str(partial), "w", format=container) as writer,
        ):
            if not reader.streams.video:
                raise ValueError(f"{source} has no picture.")
            seen, first = reader.streams.video[0], _first_frame(source)
            codec = "libvpx-vp9" if target.suffix.lower() == ".webm" else "libx264"
            written = writer.add_stream(codec, rate=seen.average_rate or Fraction(25))
            assert isinstance(written, av.VideoStream)
            written.width, written.height = seen.width // 2 * 2, seen.height // 2 * 2
            written.pix_fmt = "yuv420p"
            if seen.time_base:
                written.time_base = written.codec_context.time_base = seen.time_base
            written.options = {"crf": _NEARLY_LOSSLESS}
            for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
                setattr(written.codec_context, name, getattr(first, name))
            if first.rotation:
                written.set_display_rotation(first.rotation)
            sounds = {stream.index: writer.add_stream_from_template(stream) for stream in reader.streams.audio}
            for packet in reader.demux(seen, *reader.streams.audio):
                if packet.stream.index in sounds:
                    if packet.dts is not None:
                        packet.stream = sounds[packet.stream.index]
                        writer.mux(packet)
                    continue
                for frame in seen.decode(packet):
                    pixels = restored(frame.to_ndarray(format="rgb24"))
                    even = np.ascontiguousarray(pixels[: written.height, : written.width])
                    new = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(
                        format="yuv420p", dst_colorspace=frame.colorspace, dst_color_range=frame.color_range
                    )
                    new.pts, new.time_base = frame.pts, frame.time_base
                    writer.mux(written.encode(new))
            writer.mux(written.encode(None))
    except av.FFmpegError as error:
        raise ValueError(f"{source} cannot be read as a video: {error}.") from error


def _first_frame(source: Path) -> Any:
    """How the picture is turned and coloured stands with its frames, and is needed before the first is written."""
    import av

    with av.open(str(source)) as reader:
        for frame in reader.decode(video=0):
            return frame
    raise ValueError(f"{source} has no picture.")
