"""What callbacks ask of Lightning beyond its documentation: these tests fail when a new version answers otherwise."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.loggers import Logger
from torch import Tensor, nn
from torch.utils.data import DataLoader

from deblurlab.callbacks import lightning_internals


class Data(LightningDataModule):
    """Five batches per epoch."""

    def train_dataloader(self) -> DataLoader[Tensor]:
        return DataLoader(torch.ones(5, 1), batch_size=1)  # type: ignore[arg-type]


class Task(LightningModule):
    """Logs how many batches it has seen."""

    def __init__(self, *, manual: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.automatic_optimization = not manual
        self.seen = 0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.seen += 1
        self.log("seen", float(self.seen), on_step=True, on_epoch=False)
        loss: Tensor = self.layer(batch).mean()
        if not self.automatic_optimization:
            for _ in range(2):  # as a WGAN's players, so that optimizer steps are not batches
                self.optimizers().step()  # type: ignore[union-attr]
        return loss


class Answers(Callback):
    """Keeps what the questions are answered with at the end of each training batch."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.logged: list[float] = []
        self.fast_dev_run: set[bool] = set()
        self.data: Any = None

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, Task)
        self.batches.append(lightning_internals.batches_trained(trainer))
        if lightning_internals.is_logged(trainer):
            self.logged.append(pl_module.seen)
        self.fast_dev_run.add(lightning_internals.is_fast_dev_run(trainer))
        self.data = lightning_internals.datamodule(trainer)


class Kept(Logger):
    """Keeps the values that Lightning gives it."""

    name, version = "kept", "0"

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:  # type: ignore[override]
        self.seen.append(metrics["seen"])

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None: ...


def fit(
    folder: Path,
    *,
    manual: bool = False,
    resume: Path | None = None,
    kept: Kept | None = None,
    more: Sequence[Callback] = (),
    **settings: Any,
) -> tuple[Answers, Kept]:
    answers, kept, data = Answers(), kept or Kept(), Data()
    trainer = Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        callbacks=[answers, *more],
        logger=kept,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )
    trainer.fit(Task(manual=manual), datamodule=data, ckpt_path=resume)
    assert answers.data is data
    if not settings.get("fast_dev_run"):
        trainer.save_checkpoint(folder / "end.ckpt")
    return answers, kept


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.parametrize("manual", [False, True])
def test_batches_are_counted_over_epochs_and_resumes(tmp_path: Path, manual: bool) -> None:
    first, _ = fit(tmp_path, manual=manual, max_epochs=2, log_every_n_steps=3)
    assert first.batches == list(range(1, 11))
    resumed, _ = fit(tmp_path, manual=manual, max_epochs=3, log_every_n_steps=3, resume=tmp_path / "end.ckpt")
    assert resumed.batches == list(range(11, 16))


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.parametrize("manual", [False, True])
def test_logged_batches_are_those_that_loggers_get(tmp_path: Path, manual: bool) -> None:
    answers, kept = fit(tmp_path, manual=manual, max_epochs=2, log_every_n_steps=3)
    assert answers.logged == kept.seen == [3, 6, 9]


class Leave(Callback):
    """Ends the training at a batch, whose values it has logged."""

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if lightning_internals.batches_trained(trainer) == self.batch:
            lightning_internals.log_batch(trainer)
            raise SystemExit


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.parametrize(("batch", "logged"), [(3, [3]), (4, [3]), (6, [3, 6])])
def test_a_batch_can_be_logged_before_its_end(tmp_path: Path, batch: int, logged: list[float]) -> None:
    kept = Kept()
    with pytest.raises(SystemExit):
        fit(tmp_path, kept=kept, more=[Leave(batch)], max_epochs=2, log_every_n_steps=3)
    assert kept.seen == logged


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.filterwarnings("ignore:.*is smaller than the logging interval")
@pytest.mark.parametrize("fast", [False, True])
def test_a_fast_development_run_is_told_from_others(tmp_path: Path, fast: bool) -> None:
    answers, _ = fit(tmp_path, max_epochs=1, fast_dev_run=fast)
    assert answers.fast_dev_run == {fast}
