"""Commands that are killed or interrupted at random moments, and started again as a user would.

What they leave in the end is compared with what the same command leaves that nobody has interrupted.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tests.conftest import ROOT
from tests.faults.counting import Campaign, Outcome

_SECONDS = 300  # after which a command hangs, or five times as long as the whole one took, on a busy machine
_SECONDS_TO_LEAVE = 120  # after a signal; a command means to need 25, and the machine may be busy
_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command to interrupt, in a folder of its own.

    Attributes:
        name: The campaign.
        arguments: What stands behind ``python -m``.
        again: What stands there when it is started again; it gets the folder.
        same: Whether two folders hold the same result.
        ready: The first word that the command says once a signal finds it at work.
    """

    name: str
    arguments: Sequence[str]
    again: Callable[[Path], Sequence[str]]
    same: Callable[[Path, Path], bool]
    ready: str


def _start(folder: Path, arguments: Sequence[str]) -> subprocess.Popen[str]:
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))), "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("w"),
        text=True,
    )


def run(command: Command, seed: int, cases: int, folder: Path, signals: Sequence[signal.Signals]) -> Campaign:
    """Interrupt a command by one of ``signals`` at ``cases`` random moments.

    Args:
        command: The command.
        seed: Seed of the moments and the signals.
        cases: Their number.
        folder: A folder to work in.
        signals: What to send; SIGKILL may come at any moment, others once the command is at work.
    """
    campaign, draw = Campaign(f"{command.name}, {'/'.join(one.name for one in signals)}", seed), random.Random(seed)
    whole = folder / "whole"
    whole.mkdir(parents=True)
    start = time.monotonic()
    assert _start(whole, command.arguments).wait() == 0, (whole / "stderr").read_text()
    seconds = time.monotonic() - start
    for number in range(cases):
        case = folder / f"case-{number}"
        case.mkdir()
        chosen = draw.choice(list(signals))
        moment = draw.uniform(0, seconds)
        what = f"case {number}: {chosen.name} after {moment:.2f} s"
        outcome, why = _one(command, case, whole, chosen, moment, max(_SECONDS, 5 * seconds))
        campaign.add(outcome, f"{what}: {why}")
        if outcome is Outcome.RIGHT:
            shutil.rmtree(case)
    return campaign


def _one(
    command: Command, case: Path, whole: Path, chosen: signal.Signals, moment: float, hang: float
) -> tuple[Outcome, str]:
    """The end of a case that is interrupted after ``moment`` seconds and hangs after ``hang``."""
    process = _start(case, command.arguments)
    if chosen != signal.SIGKILL:
        while process.poll() is None and command.ready not in (case / "stderr").read_text():
            time.sleep(0.02)
        moment *= 0.5  # what is left, roughly
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.send_signal(chosen)
        try:
            status = process.wait(_SECONDS_TO_LEAVE)
        except subprocess.TimeoutExpired:
            process.kill()
            return Outcome.HANG, f"it had not left after {_SECONDS_TO_LEAVE} s"
        said = (case / "stderr").read_text()
        # While the interpreter shuts down, a signal ends the process without a word, and a shell shows the same status.
        over = status == -chosen and _same(command, case, whole)
        if chosen != signal.SIGKILL and ((status not in (0, 128 + chosen) and not over) or "Traceback" in said):
            return Outcome.TRACEBACK, f"exit status {status}: {said[-300:]!r}"
    for _ in range(_TRIES):
        process = _start(case, command.again(case))
        try:
            status = process.wait(hang)
        except subprocess.TimeoutExpired:
            process.kill()
            return Outcome.HANG, "started again"
        if status == 0:
            break
        said = (case / "stderr").read_text()
        return Outcome.TRACEBACK, f"started again, exit status {status}: {said[-300:]!r}"
    if left := [str(file.relative_to(case)) for file in case.rglob("*") if _is_litter(file)]:
        return Outcome.WRONG, f"it leaves {left[:3]}"
    return (Outcome.RIGHT, "") if _same(command, case, whole) else (Outcome.WRONG, "another result")


def _same(command: Command, case: Path, whole: Path) -> bool:
    try:
        return command.same(case, whole)
    except FileNotFoundError:
        return False


def _is_litter(file: Path) -> bool:
    return file.name.endswith(".partial") or file.name.startswith("deblurlab-")


def training(name: str, arguments: Sequence[str]) -> Command:
    """A training, which resumes to the same weights and test scores."""
    first = ("deblurlab.train", *arguments, "run=run")

    def again(folder: Path) -> Sequence[str]:
        if (folder / "run/metrics.json").is_file():  # it had finished
            shutil.rmtree(folder / "run")
        return (*first, "ckpt_path=last") if (folder / "run/checkpoints/last.ckpt").is_file() else first

    def same(one: Path, other: Path) -> bool:
        weights = [torch.load(folder / "run/checkpoints/last.ckpt", weights_only=True) for folder in (one, other)]
        states = [checkpoint["state_dict"] for checkpoint in weights]
        scores = [(folder / "run/metrics.json").read_text() for folder in (one, other)]
        equal = all(torch.equal(value, states[1][key]) for key, value in states[0].items())
        return states[0].keys() == states[1].keys() and equal and scores[0] == scores[1]

    return Command(name=name, arguments=first, again=again, same=same, ready="run folder")


def preparing(root: Path) -> Command:
    """A preparation of shards, which leaves the same files."""
    arguments = ("deblurlab.prepare", f"data.root={root}", "data.size=[36,64]", "out=shards", "run=log")
    return Command(
        name="prepare", arguments=arguments, again=lambda _: arguments, same=_same_files("shards"), ready="sequences to"
    )


def restoring(pictures: Path) -> Command:
    """A restoration of a folder, which goes on with ``existing=skip``."""
    arguments = ("deblurlab.restore", f"input={pictures}", "output=out", "trainer=cpu", "tile=96", "margin=16")
    return Command(
        name="restore",
        arguments=arguments,
        again=lambda _: (*arguments, "existing=skip"),
        same=_same_files("out"),
        ready="->",
    )


def sweeping(arguments: Sequence[str]) -> Command:
    """A sweep of two jobs, which goes on in its folder."""
    whole = ("deblurlab.train", "-m", *arguments, "seed=1,2", "hydra.sweep.dir=sweep")

    def same(one: Path, other: Path) -> bool:
        jobs = ("sweep/seed-1/metrics.json", "sweep/seed-2/metrics.json")
        return all((one / job).read_text() == (other / job).read_text() for job in jobs)

    return Command(name="sweep", arguments=whole, again=lambda _: whole, same=same, ready="run folder")


def _same_files(name: str) -> Callable[[Path, Path], bool]:
    def content(folder: Path) -> dict[str, bytes]:
        files = (file for file in (folder / name).rglob("*") if file.is_file())
        return {str(file.relative_to(folder)): file.read_bytes() for file in files}

    return lambda one, other: content(one) == content(other)
