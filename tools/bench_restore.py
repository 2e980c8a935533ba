"""Restoring a 1280x720 frame: deblurlab's planned tiles against other ways, with the same weights.

    python tools/bench_restore.py [--rounds 1] [--networks UNet16 NAFNet ...] [--before CHECKOUT]

The other ways are a plain float32 forward pass of the whole frame; for NAFNet also spandrel, in float32 as always on a
CPU: on the whole frame, as BasicSR and by default chaiNNer take it, and in even tiles of at most 512 pixels that look
16 pixels beyond their edges, as chaiNNer cuts pictures; and, with ``--before``, the tiles of the deblurlab in the
folder CHECKOUT, such as 0.1.0 after ``git worktree add FOLDER ac4d2de``, which runs in this environment.

Each round times all of them, one after the other, so that a noisy machine slows all alike; ratios are medians over the
rounds. Starting, measuring the network, reading and writing are left out. The last column compares each way with the
plain pass; the tiles of 0.1.0 continue the frame by its reflection, so that they differ at its borders.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import spandrel
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor

from deblurlab import nets
from deblurlab.restoring import load_restorer
from deblurlab.run import weights

OUTPUT = Path("outputs/bench/restore.json")
SIZE = (720, 1280)
SIDE, OVERLAP = 512, 16
NETWORKS: dict[str, dict[str, Any]] = {
    "UNet16": {},
    "ResNet16": {},
    "REDNet30": {},
    "MSDeblur": {"blocks": 5},  # as on REDS
    "NAFNet": {"width": 16, "encoder_blocks": [1, 1, 1, 8], "middle_blocks": 1, "decoder_blocks": [1, 1, 1, 1]},
}
Way = Callable[[], np.ndarray]  # returns the frame restored, uint8

# The program of --before. Whenever it reads a line it restores the frame, and answers when it has done so.
BEFORE = """
import sys
import numpy as np, torch
from deblurlab import build, weights
from deblurlab.restoring.tiles import Tiling, restore
_, file, frame, restored = sys.argv
restorer, frame = build.restorer(weights.load(file)), np.load(frame)
print(flush=True)
for _ in sys.stdin:
    np.save(restored, restore(restorer, frame, tiling=Tiling(), device=torch.device("cpu")))
    print(flush=True)
"""


def weights_of(name: str, folder: Path) -> Path:
    """A weights file of the network: random ones, of which those that start at zero would hide the blocks."""
    if name not in NETWORKS:
        return weights.FOLDER / f"{name}.safetensors"
    network = getattr(nets, name)(**NETWORKS[name])
    for parameter in ("beta", "gamma"):
        for key, value in network.named_parameters():
            if key.endswith(parameter):
                torch.nn.init.constant_(value, 0.1)
    file = folder / f"{name}.safetensors"
    weights.save(network, {"_target_": f"deblurlab.nets.{name}", **NETWORKS[name]}, file)
    return file


def whole(network: Callable[[Tensor], Tensor], frame: np.ndarray) -> np.ndarray:
    """The network on all of the frame at once."""
    with torch.inference_mode():
        restored = network(torch.from_numpy(frame).permute(2, 0, 1)[None] / 255)
    return np.asarray((restored[0].permute(1, 2, 0) * 255).round().clamp(0, 255).byte())


def in_tiles(network: Callable[[Tensor], Tensor], frame: np.ndarray) -> np.ndarray:
    """The network on even tiles, each with some pixels around it that are dropped afterwards."""
    restored = np.empty_like(frame)
    rows, columns = (np.linspace(0, size, ceil(size / SIDE) + 1).astype(int) for size in SIZE)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            above, before = max(0, top - OVERLAP), max(0, left - OVERLAP)
            tile = whole(network, frame[above : bottom + OVERLAP, before : right + OVERLAP])
            restored[top:bottom, left:right] = tile[top - above :, left - before :][: bottom - top, : right - left]
    return restored


def started_before(checkout: Path, file: Path, frame: Path, folder: Path) -> subprocess.Popen[str] | None:
    """The process of --before, ready; None if that version does not know the network."""
    words = [sys.executable, "-c", BEFORE, str(file), str(frame), str(folder / "before.npy")]
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    process = subprocess.Popen(
        words, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout
    return process if process.stdout.readline() else None


def ask(process: subprocess.Popen[str], folder: Path) -> np.ndarray:
    assert process.stdin
    assert process.stdout
    print(file=process.stdin, flush=True)
    process.stdout.readline()
    return np.asarray(np.load(folder / "before.npy"))


def measure(ways: dict[str, Way], rounds: int) -> dict[str, dict[str, float]]:
    """How many times as fast deblurlab is as each way, and how far each is from the plain forward pass, of 255."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    pictures: dict[str, np.ndarray] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            pictures[name] = way()
            seconds[name].append(time.perf_counter() - start)
    results = {}
    for name in ways:
        ratios = [theirs / ours for ours, theirs in zip(seconds["deblurlab"], seconds[name], strict=True)]
        results[name] = {
            "megapixels_per_second": round(SIZE[0] * SIZE[1] / 1e6 / statistics.median(seconds[name]), 4),
            "deblurlab_is_faster": round(statistics.median(ratios), 3),
            "largest_difference": int(np.abs(pictures[name].astype(int) - pictures["plain forward"]).max()),
        }
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--networks", nargs="+", default=[*NETWORKS, "photographs"])
    parser.add_argument("--before", type=Path)
    options = parser.parse_args()
    photograph = Image.fromarray(np.asarray(skimage.data.stereo_motorcycle()[0]))
    frame = np.array(photograph.resize(SIZE[::-1], Image.Resampling.BICUBIC))
    torch.manual_seed(0)
    results = {}
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        np.save(folder / "frame.npy", frame)
        for name in options.networks:
            file, process = weights_of(name, folder), None
            ours = load_restorer(str(file), device="cpu")
            ours.restore(frame)  # measures the network, once
            ways: dict[str, Way] = {
                "deblurlab": lambda ours=ours: ours.restore(frame),
                "plain forward": lambda ours=ours: whole(ours, frame),
            }
            if name == "NAFNet":
                theirs = spandrel.ModelLoader().load_from_file(file)
                ways["spandrel, whole"] = lambda theirs=theirs: whole(theirs, frame)
                ways[f"spandrel, tiles of {SIDE}"] = lambda theirs=theirs: in_tiles(theirs, frame)
            if options.before:
                process = started_before(options.before.resolve(), file, folder / "frame.npy", folder)
            if process:
                ways["deblurlab before"] = lambda process=process: ask(process, folder)
            results[name] = measure(ways, options.rounds)
            if process:
                process.communicate()
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")

    table = Table(title=f"Restoring 1280x720 on this CPU, median of {options.rounds}")
    for title in ("network", "way", "megapixels/s", "deblurlab is", "differs by"):
        table.add_column(title, justify="left" if title in ("network", "way") else "right")
    for network, ways_of_it in results.items():
        for way, result in ways_of_it.items():
            table.add_row(
                network if way == "deblurlab" else "",
                way,
                f"{result['megapixels_per_second']:.3f}",
                "" if way == "deblurlab" else f"{result['deblurlab_is_faster']:.2f} x as fast",
                f"{result['largest_difference']}/255",
            )
    Console().print(table)


if __name__ == "__main__":
    main()
