"""A photograph: a picture, and the file that it was read from."""

from dataclasses import dataclass, replace
from pathlib import Path

from deblurlab import pictures
from deblurlab.pictures import Picture, Samples


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photograph.

    Attributes:
        file: The file that it was read from. The metadata are read from it again when the photograph is written.
        picture: The picture in the file.
    """

    file: Path
    picture: Picture

    def with_pixels(self, pixels: Samples) -> "Photo":
        """The photograph of the same file with other pixels of the same shape and type."""
        return replace(self, picture=self.picture.with_pixels(pixels))


def read(file: Path) -> Photo:
    """Read a photograph.

    Raises:
        ValueError: If it cannot be read, see :func:`deblurlab.pictures.read`; the message names the file.
    """
    return Photo(file=file, picture=pictures.read_file(file))
