"""Videos, restored frame by frame. They need PyAV, the extra ``video``."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deblurlab.files.whole_file import whole_file
from deblurlab.pictures import Samples

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer, OutputContainer

# What FFmpeg calls the container format of each suffix.
_CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi", ".m4v": "ipod", ".webm": "webm"}
SUFFIXES = set(_CONTAINERS)
_NEARLY_LOSSLESS = "16"  # the constant rate factor of x264 and VP9: smaller is better
_USUAL_RATE = Fraction(25)  # frames per second of a video that does not tell


def restore(source: Path, target: Path, restored: Callable[[Samples], Samples]) -> None:
    """Write ``target`` with every frame of ``source`` restored, shown at the same time; sound is copied as it is.

    The picture is encoded anew, as H.264 (VP9 in WebM), with the source's rotation and colour space. These codecs need
    an even height and width: an odd last row or column is left out.

    Args:
        source: A video file.
        target: The file to write, with the same suffix.
        restored: Gives a restored frame, (H, W, 3) uint8, for a blurred one of the same shape.

    Raises:
        ValueError: naming the file, if it is no video or cannot be decoded, or if PyAV is not installed.
        OSError: if the target cannot be written.
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
            codec = "libvpx-vp9" if target.suffix.lower() == ".webm" else "libx264"
            _copy(reader, writer, _picture_like(source, reader, writer, codec), restored)
    except av.FFmpegError as error:
        raise ValueError(f"{source} cannot be read as a video: {error}.") from error


def _picture_like(source: Path, reader: "InputContainer", writer: "OutputContainer", codec: str) -> "VideoStream":
    """Add a picture stream to the new file, with the rate, size, rotation and colours of the source's first one."""
    import av

    seen, first = reader.streams.video[0], _first_frame(source)
    written = writer.add_stream(codec, rate=seen.average_rate or _USUAL_RATE)
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
    return written


def _first_frame(source: Path) -> "VideoFrame":
    """The first frame: rotation and colours stand with the frames, and are needed before any frame is written."""
    import av

    with av.open(str(source)) as reader:
        for frame in reader.decode(video=0):
            return frame
    raise ValueError(f"{source} has no picture.")


def _copy(
    reader: "InputContainer",
    writer: "OutputContainer",
    picture: "VideoStream",
    restored: Callable[[Samples], Samples],
) -> None:
    """Copy the packets of all sound, and the frames of the first picture stream restored, in the source's order."""
    sounds = {stream.index: writer.add_stream_from_template(stream) for stream in reader.streams.audio}
    seen = reader.streams.video[0]
    for packet in reader.demux(seen, *reader.streams.audio):
        if packet.stream.index in sounds:
            if packet.dts is not None:  # the last packet of a stream is empty: it only ends the stream
                packet.stream = sounds[packet.stream.index]
                writer.mux(packet)
            continue
        for frame in seen.decode(packet):
            writer.mux(picture.encode(_restored_frame(frame, restored, height=picture.height, width=picture.width)))
    writer.mux(picture.encode(None))  # the frames that the encoder has kept back


def _restored_frame(
    frame: "VideoFrame", restored: Callable[[Samples], Samples], *, height: int, width: int
) -> "VideoFrame":
    """A frame restored and cut to ``height`` and ``width``, with the time and the colour space of the old one."""
    import av

    pixels = restored(frame.to_ndarray(format="rgb24"))
    cut = np.ascontiguousarray(pixels[:height, :width])
    new = av.VideoFrame.from_ndarray(cut, format="rgb24").reformat(
        format="yuv420p", dst_colorspace=frame.colorspace, dst_color_range=frame.color_range
    )
    new.pts, new.time_base = frame.pts, frame.time_base
    return new
