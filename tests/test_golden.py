"""Numbers do not move silently: what the first steps of each model's training log stands in ``golden.json``.

The training is real: a configuration's network, losses and optimizers in a Trainer. Weights and arithmetic are float64,
the pictures are drawn by NumPy. CPUs differ in how they round and in which order they sum. In float32 such differences
grow to percents within a few steps; in float64 they stay below 1e-10, so that one tight bound holds on every CPU.

A change that is meant to move the numbers says so in its commit and rewrites the file: ``python -m tests.test_golden``.
"""

import json
import logging
import platform
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from deblurlab.app import build
from deblurlab.interfaces import Pair
from tests.composing import configuration

GOLDEN = Path(__file__).with_name("golden.json")
MODELS = {
    "resnet16": ("model=resnet16",),
    "unet16": ("model=unet16",),
    "rednet30": ("model=rednet30",),
    "nafnet": ("model=nafnet",),
    "rednet30_wgan": ("model=rednet30_wgan",),
    "msdeblur_wgan": ("model=msdeblur_wgan", "model.network.blocks=1"),
    "blind_wiener": ("model=blind_wiener", "model.network.hidden=8", "model.network.widths=[8,16]"),
}
STEPS = 3


def pairs() -> list[Pair]:
    """Random mosaics, 4 of 16x16 pixels per step, and the means of 3x3 pixels of each."""
    rng, made = np.random.default_rng(0), []
    for _ in range(STEPS):
        cells = rng.integers(0, 256, (4, 3, 6, 6)).repeat(3, axis=2).repeat(3, axis=3)
        windows = np.lib.stride_tricks.sliding_window_view(cells, (3, 3), axis=(2, 3))
        sharp, blurred = cells[:, :, 1:-1, 1:-1] / 255, windows.mean(axis=(4, 5)) / 255
        made.append(Pair(torch.from_numpy(blurred), torch.from_numpy(sharp), torch.ones(4, dtype=torch.bool)))
    return made


class Logged(Callback):
    """Keeps what is logged at every step: losses, the norms of the gradients, what a critic says."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        for name, value in trainer.callback_metrics.items():
            if name.endswith("_step"):
                self.values.setdefault(name.removesuffix("_step"), []).append(float(value))


def logged(model: str, folder: Path) -> dict[str, list[float]]:
    """What the training of a model logs in each of its first steps, by name."""
    cfg = configuration("train", *MODELS[model], "run=none")
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    try:
        task, seen = build.task(cfg), Logged()
    finally:
        torch.set_default_dtype(torch.float32)
    quiet = dict.fromkeys(("enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
    trainer = Trainer(
        accelerator="cpu", precision="64-true", max_epochs=1, callbacks=[seen], logger=CSVLogger(folder), **quiet
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning misses validation data, workers and a longer epoch
        trainer.fit(task, DataLoader(pairs(), batch_size=None))
    return seen.values


@pytest.mark.parametrize("model", MODELS)
def test_the_first_steps_log_what_they_logged(model: str, tmp_path: Path) -> None:
    golden: dict[str, list[float]] = json.loads(GOLDEN.read_text())[model]
    found = logged(model, tmp_path)
    assert found.keys() == golden.keys()
    for name, values in golden.items():
        assert len(values) == STEPS
        assert found[name] == pytest.approx(values, rel=1e-8, abs=1e-12), name


if __name__ == "__main__":
    import tempfile

    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        content: dict[str, Any] = {
            "written by": {
                "torch": torch.__version__,
                "machine": platform.machine(),
                "instructions": torch.backends.cpu.get_cpu_capability(),
            }
        } | {model: logged(model, Path(folder)) for model in MODELS}
    GOLDEN.write_text(json.dumps(content, indent=2) + "\n")
