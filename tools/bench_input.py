"""How fast frames reach training: the study's way, our raw frames, our shards, on the same frames.

    python tools/bench_input.py ROOT    # a folder in REDS' layout
    python tools/bench_input.py ROOT published    # without shards, training and memory

Prints a table and writes outputs/bench/input.json. Each way is run in turns with the others and its fastest turn
counts; CPU seconds are given beside, for a machine that has other work. Lines below the table say how many patches a
training takes per second: on this CPU and, if the extra `plan` is installed, on a v2-8.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from PIL import Image
from rich.console import Console
from rich.table import Table

import deblurlab.app.command  # it registers what the configurations need
from deblurlab.app import build
from deblurlab.data import VideoFrames
from deblurlab.data.preparing.sequences import published_sequences
from deblurlab.data.preparing.write import prepare_sequences
from deblurlab.data.shards.index import Settings
from deblurlab.data.shards.shard_rows import Codec
from deblurlab.data.shards.storage import Storage
from deblurlab.data.splits import PublishedSplit

PATCHES = 12
TURNS = 3
MODELS = ("unet16", "rednet30")


def composed(root: str, **overrides: object) -> DictConfig:
    settings = {"data.root": root, "data.batch_size": PATCHES, "run": "unused", "trainer": "cpu"} | overrides
    with initialize_config_dir(str(Path(deblurlab.__file__).parent / "conf"), version_base="1.3"):
        return compose("train", overrides=["data=reds", *(f"{key}={value}" for key, value in settings.items())])


def data_module(root: str, **overrides: object) -> VideoFrames:
    data = build.data(composed(root, **overrides))
    assert isinstance(data, VideoFrames)
    return data


def the_studys_way(data: VideoFrames) -> int:
    """Decode, resize and cut both pictures of each pair in turn; returns the number of pairs of patches."""
    patches = 0
    for pair in data.pairs("train"):
        for file in (pair.blurred, pair.sharp):
            image = Image.open(file).convert("RGB").resize((512, 288), Image.Resampling.BILINEAR)
            cells = np.asarray(image).reshape(3, 96, 4, 128, 3).swapaxes(1, 2).reshape(PATCHES, 96, 128, 3)
            patches += len(np.ascontiguousarray(cells))
    return patches // 2


def epochs(data: VideoFrames, count: int) -> int:
    loader = data.train_dataloader()
    patches = 0
    for epoch in range(count):
        patches += sum(len(batch.sharp) for batch in loader.batches(epoch))
    return patches


def measured(runs: dict[str, Callable[[], int]]) -> dict[str, dict[str, float]]:
    """The best rates of each way, over several turns in each of which all ways run once."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(TURNS):
        for name, run in runs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            patches = run()
            rates = {
                "patches_per_second": patches / (time.perf_counter() - wall),
                "patches_per_cpu_second": patches / (time.process_time() - cpu),
            }
            best[name] = {key: max(rate, best.get(name, rates)[key]) for key, rate in rates.items()}
    return best


def training_rates(root: str) -> dict[str, float]:
    """Patches per second that a training takes if it never waits for them, by network and device."""
    data = data_module(root)
    raw = next(iter(data.train_dataloader()))
    rates = {}
    for model in MODELS:
        task = build.task(composed(root, model=model))
        task.log = lambda *_, **__: None  # type: ignore[method-assign]
        optimizer, pair, seconds = task.configure_optimizers(), data.on_after_batch_transfer(raw, 0), []
        for _ in range(TURNS):
            start = time.perf_counter()
            optimizer.zero_grad()
            task.training_step(pair, 0).backward()
            optimizer.step()
            seconds.append(time.perf_counter() - start)
        rates[f"{model}, a core of this CPU"] = PATCHES / min(seconds)
        if find_spec("libtpu"):
            with tempfile.TemporaryDirectory() as folder:
                rates[f"{model}, v2-8 by plan"] = planned(model, multiplied(Path(root), Path(folder)))
    return rates


def multiplied(root: Path, folder: Path, times: int = 8) -> Path:
    """A folder in REDS' layout with links to each sequence of ``root``, several times: a batch of a v2-8 is large."""
    for sequence in sorted(root.glob("*/*/*/")):
        for number in range(times):
            link = folder / sequence.parent.relative_to(root) / f"{sequence.name}_{number}"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(sequence.absolute())
    return folder


def planned(model: str, root: Path) -> float:
    """Patches per second of a v2-8, as `plan` estimates them."""
    plan = Path("outputs/bench") / f"plan_{model}_v2-8.json"
    command = (sys.executable, "-m", "deblurlab.plan", f"model={model}", "data=reds", f"data.root={root}")
    subprocess.run([*command, f"json={plan}"], check=True, stdout=subprocess.DEVNULL)
    rate: float = json.loads(plan.read_text(encoding="utf-8"))["images_per_second"]
    return rate


def memory_over(data: VideoFrames, patches: int) -> list[int]:
    """The process's memory in MiB at ten points while so many patches are read."""
    loader, seen, points = data.train_dataloader(), 0, []
    while len(points) < 10:
        for batch in loader:
            seen += len(batch.sharp)
            if seen >= patches * (len(points) + 1) / 10:
                pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
                points.append(pages * resource.getpagesize() >> 20)
    return points


def published(root: str) -> dict[str, Callable[[], int]]:
    """The two ways to read frames as their authors publish them."""
    raw = data_module(root)
    runs: dict[str, Callable[[], int]] = {"the study's way": lambda: the_studys_way(raw)}
    for workers in (1, 2):
        data = data_module(root, **{"data.workers": workers})
        runs[f"raw frames, {workers} workers"] = lambda d=data: epochs(d, 1)
    return runs


def show(rates: dict[str, dict[str, float]]) -> None:
    study = rates["the study's way"]
    table = Table("", "patches/s", "patches/CPU s", "of the study's CPU rate", title="Input, 128x96 pairs")
    for name, rate in rates.items():
        gain = rate["patches_per_cpu_second"] / study["patches_per_cpu_second"]
        table.add_row(name, *(f"{rate[key]:,.0f}" for key in rate), f"{gain:.2f} x")
    Console().print(table)


def main(root: str) -> None:
    Path("outputs/bench").mkdir(parents=True, exist_ok=True)
    training = training_rates(root)
    raw = data_module(root)
    with tempfile.TemporaryDirectory() as folder:
        sequences = [
            sequence for split in get_args(PublishedSplit) for sequence in published_sequences(raw.pairs(split), split)
        ]
        codecs: tuple[Codec, ...] = ("webp", "png", "raw")
        bytes_a_frame = {}
        for codec in codecs:
            settings = Settings(codec, raw.size, raw.antialias)
            index = prepare_sequences(
                sequences, Storage(f"{folder}/{codec}"), settings, workers=2, skip_broken=False, progress=lambda _: None
            )
            bytes_a_frame[codec] = sum(s.bytes for s in index.shards) / sum(len(s.frames) for s in index.shards)
        runs = published(root)
        for workers in (1, 2):
            for codec in codecs:
                data = data_module(f"{folder}/{codec}", **{"data.workers": workers})
                runs[f"{codec} shards, {workers} workers"] = lambda d=data: epochs(d, 4)
        rates = measured(runs)
        memory = memory_over(data_module(f"{folder}/webp"), 50_000)
    show(rates)
    console = Console()
    console.print(f"A frame pair's bytes: {', '.join(f'{codec} {size:,.0f}' for codec, size in bytes_a_frame.items())}")
    console.print(f"Training takes, patches/s: {', '.join(f'{name} {rate:,.0f}' for name, rate in training.items())}")
    console.print(f"Memory over 50,000 patches from WebP shards, MiB: {memory}")
    result = {
        "frames": len(raw.pairs("train")),
        "rates": rates,
        "bytes_a_frame_pair": bytes_a_frame,
        "training_patches_per_second": training,
        "memory_mib_over_50000_patches": memory,
    }
    Path("outputs/bench/input.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[2:] == ["published"]:
        show(measured(published(sys.argv[1])))
    else:
        main(sys.argv[1])
