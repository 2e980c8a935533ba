"""Starting: the CPU seconds of commands from their start to what a user waits for.

    python tools/bench_start.py [--rounds 3] [--before CHECKOUT]

``CHECKOUT`` is a folder with an earlier deblurlab, such as one made by ``git worktree add FOLDER ac4d2de``; it runs in
this environment. Each round runs every command of both, one after the other, and the least CPU time of each counts,
so that other work on the machine disturbs little. Imports of the two libraries that everything here needs stand beside.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import skimage.data
from PIL import Image
from rich.console import Console
from rich.table import Table

OUTPUT = Path("outputs/bench/start.json")
HERE = Path(__file__).resolve().parents[1]


def commands(folder: Path) -> dict[str, list[str]]:
    """What is run, by its name in the table."""
    picture = folder / "picture.png"
    Image.fromarray(skimage.data.astronaut()[:128, :128]).save(picture)
    ends = "+callbacks.ends._target_=first_step.EndAfterFirstStep"
    return {
        "train --help": ["-m", "deblurlab.train", "--help"],
        "train, to the first step": ["-m", "deblurlab.train", "trainer=cpu", f"run={folder}/RUN", ends],
        "restore, one small picture": ["-m", "deblurlab.restore", f"input={picture}", f"output={folder}/RUN"],
        "import torch": ["-c", "import torch"],
        "import lightning.pytorch": ["-c", "import lightning.pytorch"],
    }


def cpu_seconds(words: list[str], checkout: Path) -> float:
    """The CPU time that a command and its children take, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": f"{checkout / 'src'}:{HERE / 'tools'}"}
    with tempfile.TemporaryDirectory() as run:
        words = [word.replace("RUN", Path(run).name) for word in words]
        process = subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(words)} failed in {checkout}")
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path)
    options = parser.parse_args()
    checkouts = {"before": options.before.resolve(), "now": HERE} if options.before else {"now": HERE}
    with tempfile.TemporaryDirectory() as folder:
        runs = commands(Path(folder))
        least: dict[str, dict[str, float]] = {name: {} for name in runs}
        for _ in range(options.rounds):
            for name, words in runs.items():
                for version, checkout in checkouts.items():
                    seconds = cpu_seconds(words, checkout)
                    least[name][version] = min(seconds, least[name].get(version, seconds))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(least, indent=2) + "\n", encoding="utf-8")

    table = Table(title=f"CPU seconds, least of {options.rounds}")
    table.add_column("")
    for heading in [*checkouts, *(["ratio"] if options.before else [])]:
        table.add_column(heading, justify="right")
    for name, seconds in least.items():
        ratio = [f"{seconds['now'] / seconds['before']:.2f}"] if options.before else []
        table.add_row(name, *(f"{value:.2f}" for value in seconds.values()), *ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
