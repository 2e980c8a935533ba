"""Says which frames were added or removed between the checkpoint of a run and its resumption."""

import logging
from collections.abc import Mapping, Sequence

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
