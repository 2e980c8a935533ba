"""The formats of pictures that are read, and what to do with those that are not."""

from pathlib import PurePath

from PIL import Image

# Pillow's name of each format that is read and written: the suffixes of files of that format.
FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
}
SUFFIXES = {suffix for suffixes in FORMATS.values() for suffix in suffixes}
_READ = "JPEG, PNG, TIFF, WebP or BMP"
# Formats that are pictures but are not read. Their suffixes, and what a user can do.
_OTHERS = {
    "HEIC": ((".heic", ".heif", ".hif"), "save it as JPEG or PNG first"),
    "AVIF": ((".avif",), "save it as JPEG or PNG first"),
    "GIF": ((".gif",), "save its picture as PNG first, or its animation as MP4"),
    "JPEG XL": ((".jxl",), "save it as JPEG or PNG first"),
    "JPEG 2000": ((".jp2", ".j2k"), "save it as JPEG or PNG first"),
    "Photoshop": ((".psd",), "save it as TIFF or PNG first"),
}


def format_of(image: Image.Image) -> str | None:
    """Pillow's name of an open file's format.

    Phones append a second picture, for depth or brightness, to a JPEG, which Pillow then calls MPO. That second
    picture is left out, and the file is a JPEG.
    """
    return "JPEG" if image.format == "MPO" else image.format


def not_read(data: bytes | memoryview) -> str:
    """What to say of a file that is of none of :data:`FORMATS`; goes on where the file's name ends."""
    start = bytes(data[:32])
    if (name := _other_format(start)) is not None:
        return f"is {'an' if name == 'AVIF' else 'a'} {name} file, which is not read: {_OTHERS[name][1]}"
    return f"cannot be read as a picture: it is no {_READ}. Get the file again"


def what_to_do(file: PurePath) -> str | None:
    """What to do with a file whose suffix tells that it is a picture of another format, such as "a.heic: save ..."."""
    for suffixes, advice in _OTHERS.values():
        if file.suffix.lower() in suffixes:
            return f"{file.name}: {advice}"
    return None


def _other_format(start: bytes) -> str | None:
    """The name of the format in :data:`_OTHERS` that a file's first bytes show."""
    if start[4:8] == b"ftyp":  # ISO base media files name their brands: the main one, and then those they suit
        return (
            "AVIF"
            if b"avi" in start[8:]
            else "HEIC"
            if any(brand in start[8:] for brand in (b"hei", b"mif1"))
            else None
        )
    signatures = {b"GIF8": "GIF", b"\xff\x0a": "JPEG XL", b"\0\0\0\x0cJXL": "JPEG XL", b"\0\0\0\x0cjP": "JPEG 2000"}
    signatures[b"8BPS"] = "Photoshop"
    return next((name for signature, name in signatures.items() if start.startswith(signature)), None)
