"""Training throughput: deblurlab's command path against hand-written loops on tensors in memory, in one run.

    python tools/bench_train.py [--rounds 5] [--models unet16 rednet30 ...] [--profile]

deblurlab's side is what `python -m deblurlab.train` does: loader, blur and flips on the device, Lightning,
logging. The rivals get their pairs ready-made; a WGAN's is the study's own formulation of the batch. Each round
times all of them one after the other on batches of the same images, so that a noisy machine slows all alike;
the ratio is the median over the rounds.

``--profile`` tells instead which operations deblurlab's side spends its time on, and writes nothing.
"""

import argparse
import itertools
import json
import logging
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from lightning.pytorch import Callback, LightningModule, Trainer
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

import deblurlab.app.command
from deblurlab.app import build
from deblurlab.backends.fast_precision import fast_precision
from deblurlab.tasks import WGANGP

CONF = Path(deblurlab.__file__).parent / "conf"
OUTPUT = Path("outputs/bench/train.json")
CASES = {  # images per step, steps per round
    "unet16": (256, 6),
    "resnet16": (32, 3),
    "rednet30": (32, 6),
    "rednet30_wgan": (32, 1),
    "msdeblur_wgan": (4, 1),
}
# The kinds of operations that a profile tells apart, by what their names contain; the first that fits counts.
KINDS = {
    "convolutions": ("conv", "mm"),
    "normalisation": ("norm",),
    "optimizer": ("adam",),
    "copies": ("copy", "cat", "clone", "pad", "shuffle", "index", "fill_", "zero"),
    "the rest": ("",),  # activations, sums, products
}
Pairs = Iterable[tuple[Tensor, Tensor]]


def hand_written(
    network: nn.Module, pairs: Pairs, *, precision: torch.dtype, layout: torch.memory_format
) -> Callable[[], float]:
    """A plain PyTorch training loop over ready pairs; returns the function that runs it and gives its seconds."""
    network = network.to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    ready = [
        (blurred.contiguous(memory_format=layout), sharp.contiguous(memory_format=layout)) for blurred, sharp in pairs
    ]

    def run() -> float:
        start = time.perf_counter()
        for blurred, sharp in ready:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == torch.bfloat16):
                restored = network(blurred)
            error = (restored.float() - sharp).abs()
            loss = (error + nn.functional.softplus(-2 * error) - math.log(2)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return time.perf_counter() - start

    return run


def plain_wgan(task: WGANGP, pairs: Pairs, *, precision: torch.dtype) -> Callable[[], float]:
    """The study's batch, channels_last: each critic step has the generator restore again, and scores real, fake and
    the points between them one after the other, and differentiates the penalty as PyTorch does.
    """
    players = (task.network, task.critic)
    optimizers = [torch.optim.Adam(one.parameters(), lr=2e-4, betas=(0.5, 0.9), fused=True) for one in players]
    ready = [[images.contiguous(memory_format=torch.channels_last) for images in pair] for pair in pairs]

    def step(loss: Tensor, player: int) -> None:
        optimizers[player].zero_grad()
        loss.backward()
        optimizers[player].step()
        torch.clear_autocast_cache()

    def restore(blurred: Tensor) -> Tensor:
        return 2 * task.scales(blurred)[0] - 1

    def run() -> float:
        start = time.perf_counter()
        for blurred, sharp in ready:
            real = 2 * sharp - 1
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == torch.bfloat16):
                for _ in range(task.critic_steps):
                    fake = restore(blurred).detach()
                    loss = task.adversarial.critic(task.critic(real).float(), task.critic(fake).float())
                    with torch.autocast("cpu", enabled=False):
                        between = torch.lerp(real, fake, torch.rand(len(real), 1, 1, 1)).requires_grad_()
                        gradient = torch.autograd.grad(task.critic(between).sum(), between, create_graph=True)[0]
                        penalty = (torch.linalg.vector_norm(gradient.flatten(1), dim=1) - 1).square()
                    step(loss + task.penalty_weight * penalty.mean(), 1)
                fake = restore(blurred)
                adversarial = task.adversarial.generator(task.critic(fake).float())
                step(task.loss(fake, real).mean() + task.adversarial_weight * adversarial, 0)
        return time.perf_counter() - start

    return run


class Rounds(Callback):
    """Each epoch is a round: times its training batches, then the rivals."""

    def __init__(self, rivals: dict[str, Callable[[], float]]) -> None:
        self.rivals = rivals
        self.seconds: list[dict[str, float]] = []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        measured = {"deblurlab": time.perf_counter() - self._start}
        measured |= {name: run() for name, run in self.rivals.items()}
        self.seconds.append(measured)


class Profile(Callback):
    """Profiles the training from its second epoch on.

    Attributes:
        shares: The part of the time that each of ``KINDS`` takes, in percent.
    """

    def __init__(self) -> None:
        self.shares: dict[str, float] = {}
        self._profiler = profile(activities=[ProfilerActivity.CPU])

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch == 1:
            self._profiler.start()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._profiler.stop()
        microseconds = dict.fromkeys(KINDS, 0.0)
        for event in self._profiler.key_averages():
            if event.key.startswith(("aten::", "mkldnn")):  # not the ranges that Lightning and autograd mark
                kind = next(kind for kind, parts in KINDS.items() if any(part in event.key for part in parts))
                microseconds[kind] += event.self_cpu_time_total
        total = sum(microseconds.values())
        self.shares = {kind: 100 * time / total for kind, time in microseconds.items()}


def rivals(cfg: DictConfig, pairs: Pairs) -> dict[str, Callable[[], float]]:
    """What deblurlab is measured against, by name."""
    bfloat16 = fast_precision("cpu") == "bf16-mixed"
    if isinstance(task := build.task(cfg), WGANGP):
        kind = torch.bfloat16 if bfloat16 else torch.float32
        return {f"plain formulation, {str(kind).removeprefix('torch.')}": plain_wgan(task, pairs, precision=kind)}
    kinds = [(torch.float32, torch.contiguous_format), (torch.float32, torch.channels_last)]
    kinds += [(torch.bfloat16, torch.channels_last)] if bfloat16 else []
    return {
        f"{str(kind).removeprefix('torch.')} {'channels_last' if layout == torch.channels_last else 'NCHW'}": (
            hand_written(build.task(cfg).network, pairs, precision=kind, layout=layout)
        )
        for kind, layout in kinds
    }


@contextmanager
def composed(model: str, *, epochs: int) -> Iterator[DictConfig]:
    """The configuration of a training of epochs as ``CASES`` has them; the first one warms up."""
    batch, steps = CASES[model]
    with tempfile.TemporaryDirectory() as folder, initialize_config_dir(str(CONF), version_base="1.3"):
        overrides = [
            f"model={model}",
            "trainer=cpu",
            f"data.batch_size={batch}",
            f"run={folder}",
            "callbacks=none",
            f"trainer.max_epochs={epochs}",
            f"trainer.limit_train_batches={steps}",
            "trainer.limit_val_batches=0",
            "trainer.enable_checkpointing=false",
        ]
        yield compose("train", overrides=overrides)


def profiled(model: str) -> dict[str, float]:
    """The part of a training step's time that each of ``KINDS`` takes, in percent."""
    with composed(model, epochs=2) as cfg:
        found = Profile()
        build.trainer(cfg, found).fit(build.task(cfg), datamodule=build.data(cfg))
    return found.shares


def measure(model: str, *, rounds: int) -> dict[str, Any]:
    """Images per second of deblurlab and its rivals, and the median ratio to each rival."""
    batch, steps = CASES[model]
    with composed(model, epochs=rounds + 1) as cfg:
        data = build.data(cfg)
        batches = itertools.islice(data.train_dataloader(), steps)
        pairs = [data.on_after_batch_transfer(raw, 0)[:2] for raw in batches]
        timed = Rounds(rivals(cfg, pairs))
        trainer = build.trainer(cfg, timed)
        trainer.fit(build.task(cfg), datamodule=data)
    kept = timed.seconds[1:]
    return {
        "model": model,
        "batch": batch,
        "precision": trainer.precision,
        "images_per_second": {
            name: round(batch * steps / statistics.median(each[name] for each in kept), 1) for name in kept[0]
        },
        "deblurlab_over": {
            name: round(statistics.median(each[name] / each["deblurlab"] for each in kept), 3) for name in timed.rivals
        },
    }


def print_profile(models: list[str]) -> None:
    table = Table(title="Training on this CPU: percent of the time of a step")
    table.add_column("model", no_wrap=True)
    for kind in KINDS:
        table.add_column(kind, justify="right", no_wrap=True)
    for model in models:
        table.add_row(model, *(f"{share:.0f}" for share in profiled(model).values()))
    Console().print(table)


def main() -> None:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.profile:
        print_profile(options.models)
        return
    results = [measure(model, rounds=options.rounds) for model in options.models]
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")

    table = Table(title=f"Training on this CPU, median of {options.rounds} rounds")
    for title in ("model", "batch", "loop", "images/s", "deblurlab is"):
        table.add_column(title, justify="right" if title != "loop" else "left")
    for result in results:
        for name, speed in result["images_per_second"].items():
            ratio = result["deblurlab_over"].get(name)
            label = f"deblurlab ({result['precision']})" if ratio is None else f"by hand, {name}"
            table.add_row(
                result["model"],
                str(result["batch"]),
                label,
                f"{speed:.1f}",
                f"{ratio:.2f} times as fast" if ratio else "",
            )
    Console().print(table)


if __name__ == "__main__":
    main()
