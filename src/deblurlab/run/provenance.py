"""Records the origin of a run: commits, versions, command line and machine. Imports nothing heavy."""

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from deblurlab.files.whole_file import write_whole_json

_PACKAGES = ("deblurlab", "torch", "torchvision", "torch_xla", "lightning", "hydra-core", "numpy", "kornia")


def provenance(*, arguments: Sequence[str], device: str) -> dict[str, Any]:
    """Describe the start of a run: when, where, and with which command and versions.

    Args:
        arguments: The words of the command line.
        device: The device that the run computes on.

    Returns:
        ``time``, ``command``, ``folder`` (the working directory), ``commits`` (of the Git repositories in which
        deblurlab and the working directory lie), ``versions``, ``python`` and ``machine``.
    """
    return {
        "time": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join(arguments),
        "folder": str(Path.cwd()),
        "commits": {"deblurlab": _commit(Path(__file__).parent), "folder": _commit(Path.cwd())},
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
        "python": sys.version.split()[0],
        "machine": {
            "host": platform.node(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "device": device,
        },
    }


def add_start(file: Path, start: dict[str, Any]) -> None:
    """Append a start of a run to the list in ``file``; a run that was resumed has several starts."""
    write_whole_json(file, [*read_starts(file), start])


def read_starts(file: Path) -> list[dict[str, Any]]:
    """The starts of a run, each as :func:`provenance` describes it, the newest last; none without the file.

    Raises:
        ValueError: If the file is damaged; the message names it.
    """
    if not file.is_file():
        return []
    try:
        starts: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(starts, list) or not all(isinstance(one["machine"]["device"], str) for one in starts):
            raise ValueError("a start names no device")
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{file} is damaged: {error!r}. Delete it: it only records how the run was started."
        ) from error
    return starts


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit(folder: Path) -> str | None:
    """The commit of a folder's Git repository, with ``+changes`` if files differ from it; None without a repository."""
    commit, changes = (_git(folder, *words) for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "-uno")))
    return f"{commit}+changes" if commit and changes else commit or None


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):  # there is no Git here
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
