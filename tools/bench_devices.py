"""Training throughput of several processes of the CPU beside one process with as many threads, in one run.

    python tools/bench_devices.py [--devices 2] [--rounds 3] [--models unet16 rednet30]

Both are `python -m deblurlab.train trainer=cpu trainer.devices=...` on batches of the same size. They take turns, so
that a noisy machine slows both alike; the ratio is the median over the rounds.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

OUTPUT = Path("outputs/bench/devices.json")
CASES = {"unet16": (256, 6), "rednet30": (32, 6)}  # images a step, steps an epoch
EPOCHS = 4  # the first one warms up


def images_per_second(model: str, devices: int, threads: int) -> float:
    """The speed of the median epoch but the first."""
    batch, steps = CASES[model]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        overrides = [
            f"model={model}",
            "trainer=cpu",
            f"run={run}",
            "logger=none",
            f"trainer.devices={devices}",
            f"data.batch_size={batch}",
            f"trainer.max_epochs={EPOCHS}",
            f"trainer.limit_train_batches={steps}",
            "trainer.limit_val_batches=0",
            "trainer.limit_test_batches=0",
        ]
        subprocess.run(
            [sys.executable, "-m", "deblurlab.train", *overrides],
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
            check=True,
            capture_output=True,
        )
        with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
            seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
    return batch * steps / statistics.median(seconds[1:])


def measure(model: str, *, devices: int, rounds: int) -> dict[str, Any]:
    """Images per second of one process and of several, round by round, and the median ratio."""
    pairs = [(images_per_second(model, 1, devices), images_per_second(model, devices, 1)) for _ in range(rounds)]
    one, several = ([round(speed, 1) for speed in speeds] for speeds in zip(*pairs, strict=True))
    ratio = statistics.median(together / alone for alone, together in pairs)
    return {"model": model, "devices": devices, "one_process": one, "processes": several, "ratio": round(ratio, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    results = [measure(model, devices=options.devices, rounds=options.rounds) for model in options.models]
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")

    table = Table(title=f"Training on this CPU, images/s, median of {options.rounds} rounds")
    for title in ("model", f"1 process, {options.devices} threads", f"{options.devices} processes", "ratio"):
        table.add_column(title, justify="right")
    for result in results:
        speeds = (f"{statistics.median(result[key]):.1f}" for key in ("one_process", "processes"))
        table.add_row(result["model"], *speeds, f"{result['ratio']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
