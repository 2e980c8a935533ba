"""What every restoration task shares: how it is scored."""

from abc import abstractmethod

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from deblurlab.metrics import ImageScores, score
from deblurlab.metrics.image import PerImage
from deblurlab.pair import Pair


class Restoration(LightningModule):
    """Abstract: a task that restores blurred images, scored alike in validation and test.

    Validation logs ``val/loss``, ``val/ssim``, ... of the restored images. Test logs ``test/restored/...``
    and, for the same images, the baseline ``test/blurred/...``.
    """

    def __init__(self, loss: PerImage) -> None:
        super().__init__()
        self.loss = loss
        self.val_scores = ImageScores()
        self.test_scores = ImageScores()
        self.test_blurred_scores = ImageScores()

    @abstractmethod
    def restore(self, blurred: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to the restored images, same shape, float32, about [0, 1]."""

    def score_images(self, restored: Tensor, sharp: Tensor) -> dict[str, Tensor]:
        """Scores of each image, (B,) float32, whatever precision the network runs in."""
        with torch.autocast(restored.device.type, enabled=False):
            return score(restored, sharp, self.loss)

    def validation_step(self, batch: Pair, batch_idx: int) -> Tensor:
        restored = self.restore(batch.blurred)
        self.val_scores.update(self.score_images(restored, batch.sharp), batch.valid)
        return restored

    def on_validation_epoch_end(self) -> None:
        means = self._means(self.val_scores)
        self.log_dict({f"val/{name}": value for name, value in means.items() if name != "images"})

    def test_step(self, batch: Pair, batch_idx: int) -> Tensor:
        restored = self.restore(batch.blurred)
        self.test_scores.update(self.score_images(restored, batch.sharp), batch.valid)
        self.test_blurred_scores.update(self.score_images(batch.blurred, batch.sharp), batch.valid)
        return restored

    def on_test_epoch_end(self) -> None:
        for name, scores in (("restored", self.test_scores), ("blurred", self.test_blurred_scores)):
            self.log_dict({f"test/{name}/{score}": value for score, value in self._means(scores).items()})

    @staticmethod
    def _means(scores: ImageScores) -> dict[str, Tensor]:
        means = {name: value.float() for name, value in scores.compute().items()}
        scores.reset()
        return means
