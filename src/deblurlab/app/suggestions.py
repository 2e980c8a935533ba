"""Suggests known keys for a misspelt one."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from deblurlab.run.names import CONF

_SWEEPS = {"search", "hydra"}  # the parents of a sweep's keys
_DEPTHS = ("*.yaml", "*/*.yaml", "*/*/*.yaml")


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """A question that names up to three of the ``known`` keys with a spelling similar to ``key``.

    Keys below the same parent are compared by their last part. If the parent itself is misspelt, whole keys are
    compared. A key without a parent may be the end of a longer one, as ``lr`` is of ``model.optimizer.lr``. Keys of a
    sweep's search repeat those of a training with other values, so they are named only to whom misspells one of them.

    Returns:
        The question with a space before it; "" if no key is similar.
    """
    known = sorted(set(known) - {key})  # the key may exist in another command
    known = [one for one in known if one.partition(".")[0] not in _SWEEPS or key.partition(".")[0] in _SWEEPS]
    parent, _, name = key.rpartition(".")
    siblings = {one.rpartition(".")[2]: one for one in known if one.rpartition(".")[0] == parent}
    if siblings:
        alike = [siblings[one] for one in difflib.get_close_matches(name, siblings, n=3, cutoff=0.7)]
    else:
        alike = difflib.get_close_matches(key, known, n=3, cutoff=0.75)
    if not alike and not parent:
        ends = (one for one in known if "." in one and one.endswith((f".{name}", f"_{name}")))
        alike = sorted(ends, key=len)[:3]
    return f" Did you mean {' or '.join(alike)}?" if alike else ""


def listed_keys(folders: Iterable[Path] = (CONF,)) -> Iterator[str]:
    """Each key of the YAML files as it is written on the command line, and the names of their groups.

    Args:
        folders: The folders of configurations. A folder of the user's may hold much else, such as a data set or files
            that are no configurations: it is searched to the depth that groups have, and what cannot be read is left
            out.
    """
    for folder in folders:
        for file in (file for depth in _DEPTHS for file in sorted(folder.glob(depth))):
            group = file.relative_to(folder).parts[:-1][:1]
            prefix = () if group in (("experiment",), ("sweep",)) else group
            with suppress(OSError, UnicodeError, YAMLError, OmegaConfBaseException):
                keys = OmegaConf.to_container(OmegaConf.load(file))
                yield from group
                yield from (".".join((*prefix, *path)) for path in _paths(keys))


def _paths(keys: Any) -> Iterator[tuple[str, ...]]:
    """The path of each key in nested mappings."""
    for key, value in keys.items() if isinstance(keys, dict) else ():
        yield (str(key),)
        yield from ((str(key), *path) for path in _paths(value))
