"""What callbacks ask of Lightning's Trainer that its documentation does not promise: one name for each question.

``tests/callbacks/test_lightning_internals.py`` fails when a new version of Lightning answers otherwise.
"""

from collections.abc import Mapping

import torch
from lightning.pytorch import LightningDataModule, Trainer
from lightning.pytorch.strategies import ParallelStrategy
from lightning.pytorch.trainer.connectors.logger_connector.result import _ResultMetric
from torch import Tensor


def batches_trained(trainer: Trainer) -> int:
    """How many training batches there were so far, with the one at hand, over all epochs and before any resume."""
    return trainer.fit_loop.total_batch_idx + 1


def is_logged(trainer: Trainer) -> bool:
    """Whether Lightning gives the values of the training batch at hand to the loggers: of one batch in some."""
    every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
    return every > 0 and batches_trained(trainer) % every == 0


def log_batch(trainer: Trainer) -> None:
    """Give the loggers the values of the training batch at hand, as Lightning does behind all callbacks."""
    trainer._logger_connector.on_batch_end()
    trainer._logger_connector.update_train_step_metrics()


def is_fast_dev_run(trainer: Trainer) -> bool:
    """Whether ``fast_dev_run`` cuts the training down to some batches, without loggers and checkpoints."""
    return bool(trainer.fast_dev_run)  # type: ignore[attr-defined]


def is_between_steps(trainer: Trainer) -> bool:
    """Whether a checkpoint written now, at the end of a training batch, resumes to what would have followed.

    It does not after an epoch's last batch and before any validation, which Lightning would leave out, and not while
    gradients accumulate, which no checkpoint holds.
    """
    fit, epoch = trainer.fit_loop, trainer.fit_loop.epoch_loop
    assert fit._data_fetcher is not None
    ends = epoch._num_ready_batches_reached() or epoch._should_check_val_fx(fit._data_fetcher)
    return not (ends or fit._should_accumulate())


def leave_signals_to_us(trainer: Trainer) -> None:
    """Have Lightning not ask all processes before each training batch whether its own handler of SIGTERM was called.

    On a GPU the question also waits for the step before.
    """
    trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = _nothing  # type: ignore[method-assign]


def _nothing() -> None:
    """A function, so that the trainer can be pickled."""


def training_sums(trainer: Trainer) -> dict[str, dict[str, Tensor]]:
    """The sums behind the means over the epoch at hand of what the task has logged, by the name of their metric.

    Each is ``value`` and ``cumulated_batch_size``. The tensors are those that Lightning goes on with.
    """
    sums: dict[str, dict[str, Tensor]] = {}
    for name, one in trainer.fit_loop.epoch_loop._results.items():
        if isinstance(one, _ResultMetric) and one.meta.is_mean_reduction:
            sums[name] = {"value": one.value, "cumulated_batch_size": one.cumulated_batch_size}
    return sums


def add_training_sums(trainer: Trainer, sums: Mapping[str, Mapping[str, Tensor]]) -> set[str]:
    """Add what :func:`training_sums` gave in the part of an epoch that another process has trained.

    Returns:
        The names of the sums that were added: those of metrics that this process has logged in the epoch, too.
    """
    results = trainer.fit_loop.epoch_loop._results
    added = sums.keys() & results.keys()
    for name in added:
        for state, value in sums[name].items():
            setattr(results[name], state, getattr(results[name], state) + value.to(getattr(results[name], state)))
    return added


def set_training_means(trainer: Trainer, sums: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Give the trainer the epoch's means of metrics that this process has not logged in the epoch."""
    for name, sum_ in sums.items():
        mean = sum_["value"] / sum_["cumulated_batch_size"]
        trainer.callback_metrics[f"{name.removeprefix('training_step.')}_epoch"] = mean


def parts(trainer: Trainer) -> int:
    """How many processes each have a part of a batch. On the hosts of a TPU pod slice a batch is whole everywhere."""
    return trainer.world_size if isinstance(trainer.strategy, ParallelStrategy) else 1


def whole(trainer: Trainer, rows: Tensor, *, dim: int = 0) -> Tensor:
    """The rows of the whole batch, of this process's rows along ``dim``. All processes must ask for it."""
    if parts(trainer) == 1:
        return rows
    return torch.cat(trainer.strategy.all_gather(rows).unbind(0), dim)


def datamodule(trainer: Trainer) -> LightningDataModule:
    """The data module that the trainer fits or tests with."""
    module: LightningDataModule = trainer.datamodule  # type: ignore[attr-defined]
    return module
