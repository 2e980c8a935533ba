"""Says which frames or images were added, removed or replaced between the checkpoint of a run and its resumption."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deblurlab.checks.words import counted
from deblurlab.interfaces import Split

log = logging.getLogger(__name__)


def tell_changed_frames(before: Mapping[Split, Sequence[str]], now: Mapping[Split, Sequence[str]]) -> None:
    """Log a warning if the frames have changed, also if some that were trained on are held out now.

    Args:
        before: The names of the frames of each split when the checkpoint was written.
        now: The same of the splits that are used now; others are not compared.
    """
    old = {name: split for split in now for name in before.get(split, ())}
    new = {name: split for split, names in now.items() for name in names}
    if old == new:
        return
    changes = [
        f"{counted(len(names), 'picture')} {'is' if len(names) == 1 else 'are'} {state}, such as {names[0]}"
        for state, names in (
            ("gone", [name for name in old if name not in new]),
            ("new", [name for name in new if name not in old]),
        )
        if names
    ]
    message = f"the files in data.root have changed since the checkpoint was written: {', and '.join(changes)}."
    held_out = [name for name, split in new.items() if split != "train" and old.get(name) == "train"]
    if held_out:
        message += (
            f" Without a folder test/ this changes which pictures are held out: the network was trained on "
            f"{counted(len(held_out), 'picture')} that it is validated or tested on now, such as {held_out[0]}."
        )
    log.warning(message)


class ImageSet(NamedTuple):
    """What a checkpoint keeps of the images of a split, which have no names.

    Attributes:
        number: How many there are.
        checksum: The CRC-32 of their bytes, in their order.
    """

    number: int
    checksum: int


def tell_changed_images(before: Mapping[Split, ImageSet], now: Mapping[Split, ImageSet]) -> None:
    """Log a warning if the images of a split have changed.

    Args:
        before: The images of each split when the checkpoint was written.
        now: The same of the splits that are used now; others are not compared.
    """
    changes = [
        f"{split} has {counted(new.number, 'image')} where it had {old.number:,}"
        if old.number != new.number
        else f"{split} has other images, or another order"
        for split, new in now.items()
        if (old := before.get(split, new)) != new
    ]
    if changes:
        log.warning(
            f"the images of the data have changed since the checkpoint was written: {'; '.join(changes)}. So the "
            "network may have been trained on images that it is validated or tested on now."
        )
