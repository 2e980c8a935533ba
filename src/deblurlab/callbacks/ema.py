"""An exponential moving average of the weights, which follows them closely while the training is young."""

import logging
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

log = logging.getLogger(__name__)


class EMA(WeightAveraging):
    """Averages the weights after each optimizer step. The average is what is validated, kept and tested.

    After n steps the average keeps min(decay, (1 + n) / (10 + n)) of itself. So the random weights that a network
    starts with are soon forgotten, as in TensorFlow's ``ExponentialMovingAverage``. Whole numbers, such as the number
    of batches that BatchNorm counts, are taken as they are.

    Args:
        decay: How much of the average a step keeps in the long run, from 0 to below 1.
        use_buffers: Whether buffers are averaged, too, such as the statistics of BatchNorm.
        device: Where the average lies; null for the device of the weights.

    Raises:
        ValueError: if ``decay`` is out of its range.
    """

    def __init__(self, decay: float, use_buffers: bool = True, device: str | None = None) -> None:
        if not isinstance(decay, int | float) or not 0 <= decay < 1:
            raise ValueError(f"callbacks.ema.decay must be a number from 0 to below 1, got {decay}.")
        self.decay = decay
        super().__init__(device=device, use_buffers=use_buffers, avg_fn=self._averaged)

    def _averaged(self, average: Tensor, weights: Tensor, steps: Tensor) -> Tensor:
        if not average.is_floating_point():
            return weights
        kept = torch.clamp((1 + steps) / (10 + steps), max=self.decay)
        return kept * average + (1 - kept) * weights

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state of a checkpoint; ValueError if it is none."""
        if type(step := state_dict.get("latest_update_step")) is not int:
            raise ValueError(f"the state of its moving average is none: latest_update_step is {step!r}.")
        super().load_state_dict(state_dict)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        settled = round((10 * self.decay - 1) / (1 - self.decay))
        if trainer.global_step < settled:
            log.info(
                f"moving average: until step {settled:,} it is taken over fewer steps than decay={self.decay} makes "
                "it, so that the first weights do not weigh on it; scores before are those of a younger average"
            )

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the average for the test of a run that was resumed behind its last epoch, too."""
        self._copy_average_to_current(pl_module)
