"""Copies a video file's description (title, date, place, chapters), and lists what a copy lacks."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

# Metadata keys that muxers write about their own work.
_TECHNICAL = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "software",
    "duration",
    "handler_name",
    "vendor_id",
    "bps",
    "number_of_bytes",
    "number_of_frames",
}


def container_options(source: Path) -> dict[str, str]:
    """Options of the new file: FFmpeg keeps the keys of iPhones for date and place only with this flag."""
    import av

    with av.open(str(source)) as reader:
        return {"movflags": "use_metadata_tags"} if any(key.startswith("com.") for key in reader.metadata) else {}


def copy_descriptions(reader: "InputContainer", writer: "OutputContainer") -> None:
    """Give the new file the source's title, date, place and chapters."""
    writer.metadata.update(kept(reader.metadata))
    writer.set_chapters(reader.chapters())


def lost_descriptions(source: Path, written: Path) -> list[str]:
    """Remarks about the parts of the source's description that the finished file lacks."""
    import av

    with av.open(str(source)) as one, av.open(str(written)) as other:
        there = {key.lower() for key in other.metadata}
        keys = sorted(f"{key}={value}" for key, value in kept(one.metadata).items() if key.lower() not in there)
        words = [f"{key} is left out" for key in keys]
        if len(one.chapters()) > len(other.chapters()):
            words.append(f"{len(one.chapters())} chapters are left out")
    return words


def kept(metadata: dict[str, str]) -> dict[str, str]:
    """The part of a file's or a stream's metadata that is also true of a copy."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower() not in _TECHNICAL and not key.startswith(("_STATISTICS", "location-"))
    }
