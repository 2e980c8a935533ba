"""Leaves out pictures and pairs that cannot be used, for data.on_error=skip."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from deblurlab.data.sources.patch_grids import patch_grid
from deblurlab.data.sources.picture_files import FilePair, size_of_pair

log = logging.getLogger(__name__)

P = TypeVar("P", bound=FilePair | Path)


def usable(found: Sequence[P], patch: tuple[int, int], title: str) -> list[P]:
    """The pictures and pairs with readable headers that hold a patch and, for a pair, have two sides of equal size.

    A warning names each of the others.

    Args:
        found: Pictures and pairs.
        patch: Height and width of a patch.
        title: The name of the whole set in messages.

    Raises:
        ValueError: If none of them can be used.
    """
    usable_ones = [picture for picture in found if _is_usable(picture, patch)]
    if not usable_ones:
        raise ValueError(f"{title}: none of {len(found)} can be used.")
    return usable_ones


def _is_usable(picture: FilePair | Path, patch: tuple[int, int]) -> bool:
    try:
        if isinstance(picture, FilePair):
            size_of_pair(picture)
            patch_grid(picture.sharp, patch)
        else:
            patch_grid(picture, patch)
    except ValueError as error:
        log.warning(f"data.on_error=skip: {error}")
        return False
    return True
