"""The line of each epoch: its words for slow networks, and for a training without an end."""

import logging
import time
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from deblurlab.callbacks.progress import Progress, speed


@pytest.mark.parametrize(
    ("images", "seconds", "batches", "words"),
    [
        (640, 1.0, 10, "640 images/s"),
        (10, 1.0, 5, "10 images/s"),
        (4, 8.0, 2, "4 s per batch"),
        (9, 1, 9, "0.11 s per batch"),
    ],
)
def test_speed(images: int, seconds: float, batches: int, words: str) -> None:
    assert speed(images, seconds, batches) == words


def trainer_of(epochs: int) -> Any:
    return SimpleNamespace(
        max_epochs=epochs,
        current_epoch=0,
        num_training_batches=1,
        callback_metrics={},
        loggers=[],
        is_global_zero=True,
        strategy=None,
    )


@pytest.mark.parametrize(("most", "start", "left"), [(3, "epoch   1/3  ", True), (-1, "epoch   1  ", False)])
def test_an_epochs_line(most: int, start: str, left: bool, caplog: pytest.LogCaptureFixture) -> None:
    trainer = trainer_of(most)
    module: Any = None
    progress, batch = Progress(), SimpleNamespace(valid=torch.ones(4, dtype=torch.bool))
    caplog.set_level(logging.INFO)
    progress.on_train_start(trainer, module)
    progress.on_train_epoch_start(trainer, module)
    progress.on_train_batch_end(trainer, module, None, batch, 0)  # type: ignore[arg-type]
    progress.on_train_epoch_end(trainer, module)
    (line,) = caplog.messages
    assert line.startswith(start)
    assert line.endswith(" left") == left


@pytest.mark.parametrize(
    "logged", [{"train/loss": 0.25}, {"train/loss_epoch": 0.25, "train/loss_step": 0.5, "train/loss": 0.5}]
)
def test_an_epochs_line_has_the_loss_that_a_task_has_logged(
    logged: dict[str, float], caplog: pytest.LogCaptureFixture
) -> None:
    """Lightning has names with suffixes only for what is logged both for each step and for the epoch."""
    trainer = trainer_of(1)
    trainer.callback_metrics = logged
    module: Any = None
    progress = Progress()
    caplog.set_level(logging.INFO)
    progress.on_train_start(trainer, module)
    progress.on_train_epoch_start(trainer, module)
    progress.on_train_epoch_end(trainer, module)
    assert "loss 2.500e-01" in caplog.text


def test_training_and_evaluations_are_timed(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of five batches takes two seconds and has 40 images; validations of five seconds follow two of them."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    trainer = trainer_of(1)
    module: Any = None
    progress, batch = Progress(), SimpleNamespace(valid=torch.ones(40, dtype=torch.bool))
    caplog.set_level(logging.INFO)
    progress.on_train_start(trainer, module)
    progress.on_train_epoch_start(trainer, module)
    for number in range(5):
        now += 2
        progress.on_train_batch_end(trainer, module, None, batch, number)  # type: ignore[arg-type]
        if number in (1, 3):
            progress.on_validation_start(trainer, module)
            now += 5
            progress.on_validation_end(trainer, module)
    now += 1
    progress.on_train_epoch_end(trainer, module)
    progress.on_test_start(trainer, module)
    now += 3
    progress.on_test_end(trainer, module)
    assert "  20 images/s  validated in 10 s" in caplog.messages[0]
    assert caplog.messages[1] == "tested in 3 s"
