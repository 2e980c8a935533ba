"""The scores of each image of a batch, and their means over all images of a split."""

import pkgutil
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor
from torchmetrics import Metric

from deblurlab.interfaces import ContentLoss
from deblurlab.metrics.scores import COUNTS_OF_INFINITE, SCORES, count_of_infinite


@cache
def _function(path: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The function of a row of the table."""
    function: Callable[[Tensor, Tensor], Tensor] = pkgutil.resolve_name(path)
    return function


def score(restored: Tensor, sharp: Tensor, loss: ContentLoss) -> dict[str, Tensor]:
    """Compute every score of the table for each image of a batch.

    Args:
        restored: (B, 3, H, W), about [0, 1] and not clamped. The functions of the table clamp it, the loss does not.
        sharp: (B, 3, H, W) in [0, 1].
        loss: The content loss of the run's task.

    Returns:
        The values of each score, (B,) float32, by name.
    """
    restored, sharp = restored.float(), sharp.float()
    functions = {one.name: loss if one.function is None else _function(one.function) for one in SCORES}
    return {name: function(restored, sharp) for name, function in functions.items()}


class ImageScores(Metric):
    """Means of the scores over images, and the number of ``images``.

    Images with an infinite score, such as the PSNR of an image without any error, are left out of that score's mean and
    counted as ``infinite_NAME``. The sums are not saved in checkpoints.

    Args:
        further: Names of scores in addition to those of the table. Each may be infinite.
    """

    full_state_update = False

    def __init__(self, further: Sequence[str] = ()) -> None:
        super().__init__()
        self.names = (*(score.name for score in SCORES), *further)
        self.may_be_infinite = (*COUNTS_OF_INFINITE, *further)
        self.totals: Tensor
        self.counts: Tensor
        self.images: Tensor
        self.add_state("totals", torch.zeros(len(self.names)), dist_reduce_fx="sum")
        self.add_state("counts", torch.zeros(len(self.names), dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("images", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, scores: dict[str, Tensor], valid: Tensor) -> None:
        """Add the scores of a batch.

        Args:
            scores: The values of each score by name, (B,) each, as :func:`score` returns them.
            valid: (B,) bool; images for which it is False are left out.
        """
        totals, counts = [], []
        for name in self.names:
            values = scores[name]
            counted = valid & ~values.isinf() if name in self.may_be_infinite else valid
            totals.append(torch.where(counted, values, 0).sum())
            counts.append(counted.sum())
        self.totals += torch.stack(totals)
        self.counts += torch.stack(counts)
        self.images += valid.sum()

    def compute(self) -> dict[str, Tensor]:
        """The means, the count ``images``, and the counts of infinite values: scalars. Means of no image are NaN."""
        counts = dict(zip(self.names, self.counts, strict=True))
        infinite = {count_of_infinite(name): self.images - counts[name] for name in self.may_be_infinite}
        means = dict(zip(self.names, self.totals / self.counts, strict=True))
        return means | {"images": self.images} | infinite
