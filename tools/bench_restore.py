"""Restoring a 1280x720 frame: deblurlab's planned tiles against one plain float32 forward pass of the whole frame.

    python tools/bench_restore.py [--rounds 1] [--networks UNet16 REDNet30]

Each round times both, one after the other, so that a noisy machine slows both alike.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import nn

from deblurlab import nets
from deblurlab.restoring import Restorer, Tiling, load_restorer

OUTPUT = Path("outputs/bench/restore.json")
SIZE = (720, 1280)
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "UNet16": nets.UNet16,
    "ResNet16": nets.ResNet16,
    "REDNet30": nets.REDNet30,
    "MSDeblur": lambda: nets.MSDeblur(blocks=5),  # as on REDS
}


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(title: str, restorer: Restorer, frame: np.ndarray, rounds: int) -> dict[str, Any]:
    """Megapixels a second of both, and the most by which tiles differ from the whole frame."""
    restored: list[np.ndarray] = []
    image = torch.from_numpy(frame).permute(2, 0, 1)[None] / 255

    def tiled(tiling: Tiling | None) -> np.ndarray:
        return restorer.restore(frame, tiling=tiling)

    tiled(None)  # measures the network, once

    def plain() -> torch.Tensor:
        with torch.inference_mode():
            return restorer(image)

    tiled_seconds, plain_seconds = zip(
        *((seconds(lambda: restored.append(tiled(None))), seconds(plain)) for _ in range(rounds)), strict=True
    )
    whole = tiled(Tiling(side=0)).astype(int)
    megapixels = SIZE[0] * SIZE[1] / 1e6
    return {
        "network": title,
        "tiled": round(megapixels / statistics.median(tiled_seconds), 4),
        "plain": round(megapixels / statistics.median(plain_seconds), 4),
        "largest_difference": int(np.abs(restored[0] - whole).max()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--networks", nargs="+", default=[*NETWORKS, "photographs"])
    options = parser.parse_args()
    photograph = Image.fromarray(np.asarray(skimage.data.stereo_motorcycle()[0]))
    frame = np.array(photograph.resize(SIZE[::-1], Image.Resampling.BICUBIC))
    torch.manual_seed(0)
    results = []
    for name in options.networks:
        restorer = Restorer(NETWORKS[name]()).eval() if name in NETWORKS else load_restorer(name, device="cpu")
        results.append(measure(name, restorer, frame, options.rounds))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(results, indent=2) + "\n")

    table = Table(title=f"Restoring 1280x720 on this CPU, megapixels/s, median of {options.rounds}")
    for title in ("network", "deblurlab", "plain forward", "deblurlab is", "and differ by"):
        table.add_column(title, justify="left" if title == "network" else "right")
    for result in results:
        table.add_row(
            result["network"],
            f"{result['tiled']:.3f}",
            f"{result['plain']:.3f}",
            f"{result['tiled'] / result['plain']:.2f} times as fast",
            f"{result['largest_difference']}/255",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
