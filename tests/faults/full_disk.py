"""A training on a disk of 4 MB: one line that names a file, and what was whole stays whole."""

import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deblurlab.run.checkpoint import AtomicCheckpointIO
from tests.conftest import run_command
from tests.faults.counting import Campaign, Outcome


def can_mount(folder: Path) -> bool:
    """Whether this process may mount a small disk of memory at ``folder``, which it does."""
    if os.name != "posix" or shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(seed: int, cases: int, folder: Path, arguments: Sequence[str]) -> Campaign | None:
    """Fill the disk to a random degree and train there; None where no such disk can be mounted."""
    campaign, draw = Campaign("a disk of 4 MB", seed), random.Random(seed)
    for number in range(cases):
        disk = folder / f"disk-{number}"
        disk.mkdir(parents=True)
        if not can_mount(disk):
            return None
        try:
            free = draw.randrange(1 << 14, 1 << 21)
            (disk / "fill").write_bytes(bytes((4 << 20) - free))
            done = run_command(disk, "train", *arguments, "run=run")
            campaign.add(_outcome(done, disk / "run"), f"case {number}, {free} bytes free: {done.stderr[-300:]!r}")
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    return campaign


def _outcome(done: "subprocess.CompletedProcess[str]", run: Path) -> Outcome:
    for checkpoint in (run / "checkpoints").glob("*"):
        try:
            AtomicCheckpointIO().load_checkpoint(checkpoint)
        except ValueError:
            return Outcome.WRONG
    if done.returncode == 0:
        return Outcome.RIGHT
    clear = "No space left on device: '" in done.stderr and "Traceback" not in done.stderr
    return Outcome.ERROR if clear else Outcome.TRACEBACK
