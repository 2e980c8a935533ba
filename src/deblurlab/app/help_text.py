"""The text of ``--help``: a command's examples, its keys with their comments, and the groups."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from deblurlab.run.names import CONF

# Sections of a command's file that no user sets.
_INNER = ("defaults", "hydra")


def help_text(command: str, docstring: str, folders: Sequence[Path] = (CONF,)) -> str:
    """The help of a command.

    Args:
        command: The name of the command.
        docstring: The docstring of the command's module, which has examples.
        folders: The folders whose files can be chosen from groups.
    """
    file = CONF / f"{command}.yaml"
    lines = [docstring.strip(), "", "Settings are KEY=VALUE, with these values unless you say otherwise:", ""]
    lines += [f"    {line}".rstrip() for line in _keys(file.read_text(encoding="utf-8"))]
    if groups := _groups(file, folders):
        lines += ["", "Groups, GROUP=OPTION; any argument of their classes can be set, as in trainer.max_epochs=5:", ""]
        lines += [f"    {group}: {text}" for group, text in groups.items()]
    lines += [
        "",
        f"deblurlab {command} ... --cfg job prints the whole configuration; --hydra-help lists Hydra's own options.",
    ]
    return "\n".join(lines)


def _keys(text: str) -> list[str]:
    """The lines of a command's file with its keys and the comments that explain them."""
    kept, inner = [], False
    for line in text.splitlines()[1:]:  # the first line is the usage
        if (key := re.match(r"(\w+):", line)) is not None:
            inner = key[1] in _INNER
        if not inner:
            kept.append(line)
    return "\n".join(kept).strip().splitlines()


def _groups(file: Path, folders: Sequence[Path]) -> dict[str, str]:
    """The groups of a command: for each, its options and the default."""
    found = {}
    content: Any = OmegaConf.to_container(OmegaConf.load(file))
    for entry in content.get("defaults", []):
        for group, chosen in entry.items() if isinstance(entry, dict) else ():
            files = [path for folder in folders for path in (folder / group).glob("*.yaml")]
            if group == "hydra" or not files:
                continue
            options = ", ".join(sorted({path.stem for path in files}))
            default = " (you must choose)" if chosen == "???" else f" (unless you choose: {chosen})" if chosen else ""
            found[group] = options + default
    return found
