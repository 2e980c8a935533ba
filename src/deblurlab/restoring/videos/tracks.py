"""Sound and subtitles of a video. They are copied unchanged, or sound is encoded again for the container."""

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from deblurlab.pictures.films import first_picture
from deblurlab.restoring.videos.containers import Container
from deblurlab.restoring.videos.descriptions import kept

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, Packet
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

# Sound that keeps its times when its packets are copied to AVI. For other sound AVI derives wrong times from the bytes.
_COPIED_TO_AVI = ("mp2", "mp3", "pcm_")


class Track(Protocol):
    """A stream of the new file that is made from one of the source."""

    def packets(self, packet: "Packet[Any]") -> Iterable["Packet[Any]"]:
        """The packets to write for a packet of the source. The last packet of a stream is empty."""
        ...


class Copied:
    """A :class:`Track` whose packets are those of the source."""

    def __init__(self, written: "Stream") -> None:
        self._written = written

    def packets(self, packet: "Packet[Any]") -> Iterable["Packet[Any]"]:
        if packet.dts is None:  # the last one
            return []
        packet.stream = self._written
        return [packet]


class Encoded:
    """A :class:`Track` of sound that is encoded again."""

    def __init__(self, written: "AudioStream") -> None:
        self._written = written
        self._next: Fraction | None = None  # the end of the last frame, in seconds

    def packets(self, packet: "Packet[Any]") -> Iterable["Packet[Any]"]:
        frames: Any = packet.decode()  # audio frames, since these are audio packets
        made = [new for frame in frames for new in self._written.encode(self._timed(frame))]
        return made if packet.dts is not None else [*made, *self._written.encode(None)]

    def _timed(self, frame: "AudioFrame") -> "AudioFrame":
        """The frame, with a time if it had none: decoders do not set the time of frames that they held back."""
        base = frame.time_base
        assert base is not None
        if frame.pts is None and self._next is not None:
            frame.pts = round(self._next / base)
        if frame.pts is not None:
            self._next = frame.pts * base + Fraction(frame.samples, frame.sample_rate)
        return frame


def add_tracks(
    reader: "InputContainer", writer: "OutputContainer", container: Container
) -> tuple[dict[int, Track], list[str]]:
    """Add the source's sound and subtitles to the new file.

    Returns:
        The tracks by the index of their stream in the source, and remarks about the other streams.
    """
    tracks: dict[int, Track] = {}
    words = []
    for sound in reader.streams.audio:
        if (copied := _copied(sound, writer, container)) is not None:
            tracks[sound.index] = Copied(copied)
        else:
            tracks[sound.index] = Encoded(_encoder(sound, writer, container.sound))
            words.append(f"{title(sound)} became {container.sound}, as {container.name} does not hold it as it is")
    for texts in reader.streams.subtitles:
        if (copied := _from_template(texts, writer)) is not None:
            tracks[texts.index] = Copied(copied)
    picture = first_picture(reader)
    known = "data" if reader.chapters() else None  # the chapters of an MP4 are a stream of data, too
    left_out = [one for one in reader.streams if one.index not in tracks and one is not picture and one.type != known]
    return tracks, [*words, *(f"{title(stream)} is left out" for stream in left_out)]


def title(stream: "Stream") -> str:
    """The name of a stream in messages, such as "stream 1 (audio ac3)"."""
    codec = f" {stream.codec_context.name}" if stream.codec_context else ""  # that of data and attachments is None
    return f"stream {stream.index} ({stream.type}{codec})"


def _copied(stream: "AudioStream", writer: "OutputContainer", container: Container) -> "Stream | None":
    """A stream for unchanged packets of sound; None if the container cannot hold them."""
    if container.name != "avi" or stream.codec_context.name.startswith(_COPIED_TO_AVI):
        return _from_template(stream, writer)
    if stream.codec_context.name == "ac3":
        # A stream made from a template would keep the block size that the source's file states, and AVI would compute
        # its times from that. The stream of an encoder, which is never used here, states none.
        return _encoder(stream, writer, "ac3")
    return None


def _from_template(stream: "Stream", writer: "OutputContainer") -> "Stream | None":
    try:
        written = writer.add_stream_from_template(stream)
    except ValueError:  # the container cannot hold this codec
        return None
    written.metadata.update(kept(stream.metadata))
    return written


def _encoder(stream: "AudioStream", writer: "OutputContainer", codec: str) -> "AudioStream":
    import av

    context = stream.codec_context
    written = writer.add_stream(codec, rate=context.sample_rate, layout=context.layout.name)
    assert isinstance(written, av.AudioStream)
    written.metadata.update(kept(stream.metadata))
    return written
