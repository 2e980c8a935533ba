"""The parts of Lightning's Trainer that callbacks use although they are not documented, each in a function.

``tests/callbacks/test_lightning_internals.py`` fails when a new version of Lightning changes one of them.
"""

from collections.abc import Mapping

import torch
from lightning.pytorch import LightningDataModule, Trainer
from lightning.pytorch.strategies import ParallelStrategy
from lightning.pytorch.trainer.connectors.logger_connector.result import _ResultMetric
from torch import Tensor

from deblurlab.interfaces import Pair


def batches_trained(trainer: Trainer) -> int:
    """The number of training batches so far, including the current one, over all epochs and before any resume."""
    return trainer.fit_loop.total_batch_idx + 1


def is_logged(trainer: Trainer) -> bool:
    """Whether Lightning logs the values of the current training batch, as it does every ``log_every_n_steps``."""
    every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
    return every > 0 and batches_trained(trainer) % every == 0


def log_batch(trainer: Trainer) -> None:
    """Log the values of the current training batch now. Lightning would do so after all callbacks."""
    trainer._logger_connector.on_batch_end()
    trainer._logger_connector.update_train_step_metrics()


def is_fast_dev_run(trainer: Trainer) -> bool:
    """Whether ``fast_dev_run`` reduces the training to a few batches, without loggers and checkpoints."""
    return bool(trainer.fast_dev_run)  # type: ignore[attr-defined]


def is_between_steps(trainer: Trainer) -> bool:
    """Whether a run resumed from a checkpoint written now, at the end of a training batch, continues exactly.

    It does not after an epoch's last batch or directly before a validation, which Lightning would skip, and not while
    gradients are being accumulated, which checkpoints do not hold.
    """
    fit, epoch = trainer.fit_loop, trainer.fit_loop.epoch_loop
    assert fit._data_fetcher is not None
    ends = epoch._num_ready_batches_reached() or epoch._should_check_val_fx(fit._data_fetcher)
    return not (ends or fit._should_accumulate())


def leave_signals_to_us(trainer: Trainer) -> None:
    """Stop Lightning from asking all processes before each training batch whether its handler of SIGTERM was called.

    On a GPU that exchange would also wait for the previous step.
    """
    trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = _nothing  # type: ignore[method-assign]


def _nothing() -> None:
    """Not a lambda, so that the trainer can be pickled."""


def training_sums(trainer: Trainer) -> dict[str, dict[str, Tensor]]:
    """The sums from which Lightning computes the means of the current epoch, by the name of the metric.

    Each has ``value`` and ``cumulated_batch_size``. The tensors are not copies: Lightning continues to add to them.
    """
    sums: dict[str, dict[str, Tensor]] = {}
    for name, one in trainer.fit_loop.epoch_loop._results.items():
        if isinstance(one, _ResultMetric) and one.meta.is_mean_reduction:
            sums[name] = {"value": one.value, "cumulated_batch_size": one.cumulated_batch_size}
    return sums


def add_training_sums(trainer: Trainer, sums: Mapping[str, Mapping[str, Tensor]]) -> set[str]:
    """Add the sums that :func:`training_sums` returned in the part of an epoch before a resume.

    Returns:
        The names of the sums that were added: those of the metrics that this process has already logged in the epoch.
    """
    results = trainer.fit_loop.epoch_loop._results
    added = sums.keys() & results.keys()
    for name in added:
        for state, value in sums[name].items():
            setattr(results[name], state, getattr(results[name], state) + value.to(getattr(results[name], state)))
    return added


def set_training_means(trainer: Trainer, sums: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Set the epoch's means of the metrics in ``sums``, which this process has not logged in the epoch."""
    for name, sum_ in sums.items():
        mean = sum_["value"] / sum_["cumulated_batch_size"]
        trainer.callback_metrics[f"{name.removeprefix('training_step.')}_epoch"] = mean


def images_in_batch(trainer: Trainer, batch: Pair) -> int:
    """The number of images in the whole batch, of which ``batch`` is the part of this process."""
    return len(batch.valid) * _parts(trainer)


def _parts(trainer: Trainer) -> int:
    """The number of processes that share a batch: 1 on a TPU pod slice, where each host sees the whole batch."""
    return trainer.world_size if isinstance(trainer.strategy, ParallelStrategy) else 1


def gather_rows(trainer: Trainer, rows: Tensor, *, dim: int = 0) -> Tensor:
    """Gather the rows of the whole batch from those of each process. All processes must call this.

    Args:
        trainer: The trainer.
        rows: One value of any shape for each image that this process has of the batch.
        dim: The dimension that counts the images.
    """
    if _parts(trainer) == 1:
        return rows
    return torch.cat(trainer.strategy.all_gather(rows).unbind(0), dim)


def datamodule(trainer: Trainer) -> LightningDataModule:
    """The data module that the trainer fits or tests with."""
    module: LightningDataModule = trainer.datamodule  # type: ignore[attr-defined]
    return module
