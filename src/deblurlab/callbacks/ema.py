"""An exponential moving average of the weights, with a shorter memory in the first steps of a training."""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

log = logging.getLogger(__name__)


class EMA(WeightAveraging):
    """Averages the weights after each optimizer step. Validation, checkpoints and the test use the average.

    The decay of step n is min(decay, (1 + n) / (10 + n)), so that the average soon forgets the random initial weights,
    as in TensorFlow's ``ExponentialMovingAverage``. Integers, such as BatchNorm's number of batches, are copied.

    Args:
        decay: The weight of the old average in each step, after the first steps; from 0 to below 1.
        use_buffers: Whether buffers, such as BatchNorm's running statistics, are averaged, too.
        device: The device that holds the average; null for the device of the weights.

    Raises:
        ValueError: If ``decay`` is out of its range.
    """

    def __init__(self, decay: float, use_buffers: bool = True, device: str | None = None) -> None:
        if not isinstance(decay, int | float) or not 0 <= decay < 1:
            raise ValueError(f"callbacks.ema.decay must be a number from 0 to below 1, got {decay}.")
        self.decay = decay
        super().__init__(device=device, use_buffers=use_buffers, multi_avg_fn=self._average)

    def _average(self, averages: Sequence[Tensor], weights: Sequence[Tensor], steps: Tensor) -> None:
        """Update averages in place. They are on one device and of one type.

        A network has hundreds of them, so that a step would take noticeably longer with several operations for each.
        """
        if averages[0].is_floating_point():
            # 1 - decay, as a tensor: to read it would wait for the device
            share = torch.clamp(9 / (10 + steps), min=1 - self.decay).to(averages[0].dtype)
            for average, weight in zip(averages, weights, strict=True):
                average.lerp_(weight, share)
        else:
            for average, weight in zip(averages, weights, strict=True):
                average.copy_(weight)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of a checkpoint; ValueError if it is not a state of this callback."""
        if type(step := state_dict.get("latest_update_step")) is not int:
            raise ValueError(f"the state of its moving average is invalid: latest_update_step is {step!r}.")
        super().load_state_dict(state_dict)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        settled = round((10 * self.decay - 1) / (1 - self.decay))
        if trainer.global_step < settled:
            log.info(
                f"moving average: its decay rises with the steps and reaches {self.decay} at step {settled:,}, so that "
                "the first weights are soon forgotten; scores before that step are of averages over fewer steps"
            )

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Use the average in the test, also when a run is resumed after its last epoch and trains no further."""
        self._copy_average_to_current(pl_module)
