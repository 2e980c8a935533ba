"""The supported picture formats, and advice for others."""

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
# Picture formats that are not supported: their suffixes, and what a user can do.
_OTHERS = {
    "HEIC": ((".heic", ".heif", ".hif"), "save it as JPEG or PNG first"),
    "AVIF": ((".avif",), "save it as JPEG or PNG first"),
    "GIF": ((".gif",), "save its picture as PNG first, or its animation as MP4"),
    "JPEG XL": ((".jxl",), "save it as JPEG or PNG first"),
    "JPEG 2000": ((".jp2", ".j2k"), "save it as JPEG or PNG first"),
    "Photoshop": ((".psd",), "save it as TIFF or PNG first"),
}
# The first bytes of TIFF and BigTIFF files, in both byte orders.
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def format_of(image: Image.Image) -> str | None:
    """Pillow's name of an open file's format.

    Phones append a second picture, for depth or brightness, to a JPEG, which Pillow then calls MPO. That second
    picture is left out, and the file is a JPEG.
    """
    return "JPEG" if image.format == "MPO" else image.format


def not_read(data: bytes | memoryview) -> str:
    """The message for a file that Pillow does not open, as the continuation of a sentence after the file's name."""
    start = bytes(data[:32])
    if (name := _other_format(start)) is not None:
        return f"is {'an' if name == 'AVIF' else 'a'} {name} file, which is not read: {_OTHERS[name][1]}"
    if start.startswith(_TIFF):  # Pillow opens only some kinds of TIFF, and does not say what is wrong with the others
        return (
            "is a TIFF file that is damaged or of a kind that is not read, such as with 32 bits or floating point "
            "numbers: save it with 8 or 16 bits, or get the file again"
        )
    return f"cannot be read as a picture: it is not a {_READ} file. Get the file again"


def what_to_do(file: PurePath) -> str | None:
    """Advice for a file with the suffix of an unsupported format, such as "a.heic: save ..."; None for other files."""
    for suffixes, advice in _OTHERS.values():
        if file.suffix.lower() in suffixes:
            return f"{file.name}: {advice}"
    return None


def _other_format(start: bytes) -> str | None:
    """The format in :data:`_OTHERS` that a file has according to its first bytes; None if it has none of them."""
    if start[4:8] == b"ftyp":  # ISO base media files list their brands: the main one, then the compatible ones
        brands = start[8:]
        if b"avi" in brands:
            return "AVIF"
        return "HEIC" if b"hei" in brands or b"mif1" in brands else None
    signatures = {b"GIF8": "GIF", b"\xff\x0a": "JPEG XL", b"\0\0\0\x0cJXL": "JPEG XL", b"\0\0\0\x0cjP": "JPEG 2000"}
    signatures[b"8BPS"] = "Photoshop"
    return next((name for signature, name in signatures.items() if start.startswith(signature)), None)
