"""Writes a video with restored frames, and all else as in its source."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deblurlab.files.whole_file import whole_file
from deblurlab.pictures import Samples, films
from deblurlab.pictures.regular_file import require_file
from deblurlab.restoring.videos.containers import Container, container_of
from deblurlab.restoring.videos.descriptions import container_options, copy_descriptions, lost_descriptions
from deblurlab.restoring.videos.frames import restored_frame
from deblurlab.restoring.videos.tracks import add_tracks, title

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import OutputContainer

log = logging.getLogger(__name__)

_USUAL_RATE = Fraction(25)  # frames per second, for a video without a frame rate


class _NotWrittenError(Exception):
    """The new file cannot be written, because its container refuses a packet."""


def restore(source: Path, target: Path, restore_pixels: Callable[[Samples], Samples]) -> int:
    """Write ``target`` with every frame of ``source`` restored, shown at the same time, and with its sound.

    The picture is encoded again, as H.264 (VP9 in WebM), with 8 bits and the source's rotation, pixel aspect ratio and
    colour space. These codecs need an even height and width: an odd last row or column is left out. Colours get half
    the resolution of brightness, which players expect: if a source has more, each block of 2x2 pixels gets its mean.
    The log lists everything else that is lost.

    Args:
        source: A video file.
        target: The file to write, with the same suffix.
        restore_pixels: Returns a restored frame, (H, W, 3) uint8, for a blurred one of the same shape.

    Returns:
        The number of frames.

    Raises:
        ValueError: If the file is not a video, cannot be decoded, changes its size or cannot be written in its
            container, or if PyAV is not installed. The message names the file.
        OSError: If the target cannot be written.
    """
    films.require_pyav(source)
    require_file(source)
    import av

    try:
        with whole_file(target) as partial:
            frames, words = _write(source, partial, container_of(target), restore_pixels)
            words += lost_descriptions(source, partial)
    except _NotWrittenError as error:
        raise ValueError(f"{source} cannot be written as {target.suffix}, because of its {error}.") from error
    except av.FFmpegError as error:
        raise films.not_read(source, error) from error
    if words:
        log.info(f"{source}: {'; '.join(words)}")
    return frames


def _write(
    source: Path, file: Path, container: Container, restore_pixels: Callable[[Samples], Samples]
) -> tuple[int, list[str]]:
    """Write the file; return the number of frames, and remarks about the parts of the source that are lost."""
    import av

    options = container_options(source)
    with (
        av.open(str(source)) as reader,
        av.open(str(file), "w", format=container.name, container_options=options) as writer,
    ):
        first = films.first_frame(source)  # the frames state rotation and colours, which are needed before the first
        video = films.first_picture(reader)
        assert video is not None
        written = _picture_like(source, first, video, writer, container)
        tracks, words = add_tracks(reader, writer, container)
        copy_descriptions(reader, writer)
        frames = 0
        due = deque[int]()  # AVI stores no times, only an order, and FFmpeg's guess for H.264 may be off by frames
        for packet in reader.demux(video, *(reader.streams[index] for index in tracks)):
            if packet.stream.index in tracks:
                made = tracks[packet.stream.index].packets(packet)
                _mux(writer, made, title(reader.streams[packet.stream.index]))
                continue
            if reader.format.name == "avi" and packet.size and packet.dts is not None:
                due.append(packet.dts)
            for frame in video.decode(packet):
                frame.pts = due.popleft() if due else frame.pts
                films.require_size(frame, (first.width, first.height), f"{source}, frame {frames}")
                frames += 1
                new = restored_frame(frame, restore_pixels, height=written.height, width=written.width)
                _mux(writer, written.encode(new), title(video))
        _mux(writer, written.encode(None), title(video))  # the frames that the encoder has held back
        has_alpha = video.metadata.get("alpha_mode") == "1"  # VP9's, which is decoded without transparency
    return frames, [*_lost_of_pictures(first, has_alpha=has_alpha), *words]


def _mux(writer: "OutputContainer", packets: Iterable["Packet[Any]"], made_of: str) -> None:
    import av

    for packet in packets:
        try:
            writer.mux(packet)
        except av.FFmpegError as error:
            raise _NotWrittenError(f"{made_of}: {error}") from error


def _picture_like(
    source: Path, first: "VideoFrame", video: "VideoStream", writer: "OutputContainer", container: Container
) -> "VideoStream":
    """Add a picture stream with the source's rate, size, rotation, pixel aspect ratio and colour space."""
    import av

    if min(video.width, video.height) < 2:
        raise ValueError(f"{source} is {video.width}x{video.height}: videos are written from 2x2 pixels on.")
    written = writer.add_stream(container.picture, rate=video.average_rate or _USUAL_RATE)
    assert isinstance(written, av.VideoStream)
    written.width, written.height = video.width // 2 * 2, video.height // 2 * 2
    written.pix_fmt = "yuv420p"
    if video.time_base:
        written.time_base = written.codec_context.time_base = video.time_base
    written.options = dict(container.options)
    if video.sample_aspect_ratio:
        written.codec_context.sample_aspect_ratio = video.sample_aspect_ratio
    for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
        setattr(written.codec_context, name, getattr(first, name))
    if first.rotation:
        written.set_display_rotation(first.rotation)
    return written


def _lost_of_pictures(first: "VideoFrame", *, has_alpha: bool) -> list[str]:
    """Remarks about properties of the frames that are lost: the result has 8 bits, and is progressive and opaque."""
    words = []
    pixels = first.format
    if (bits := pixels.components[0].bits) > 8:
        words.append(f"{bits} bits per colour became 8")
    if len(pixels.components) > 2 and (pixels.chroma_width(8), pixels.chroma_height(8)) != (4, 4):
        words.append("colours became those of blocks of 2x2 pixels (4:2:0)")
    if has_alpha or any(component.is_alpha for component in pixels.components):
        words.append("transparency is left out")
    if first.interlaced_frame:
        words.append("interlaced fields became whole frames")
    return words
