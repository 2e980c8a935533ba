"""What a photograph is here: a picture, and the file that it was read from."""

from dataclasses import dataclass, replace
from pathlib import Path

from deblurlab import pictures
from deblurlab.pictures import Picture, Samples


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photograph.

    Attributes:
        file: The file that it was read from. Its metadata is read from there again when the photograph is written.
        picture: What was read from it.
    """

    file: Path
    picture: Picture

    def with_pixels(self, pixels: Samples) -> "Photo":
        """The photograph of the same file with other pixels of the same shape and type."""
        return replace(self, picture=self.picture.with_pixels(pixels))


def read(file: Path) -> Photo:
    """Read a photograph.

    Raises:
        ValueError: naming the file, see :func:`deblurlab.pictures.read`.
    """
    return Photo(file=file, picture=pictures.read_file(file))
