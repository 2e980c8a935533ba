"""The base of all tasks: how a network restores batches, and how it is scored in validation and test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, distributed, nn

from deblurlab.checks.words import counted
from deblurlab.interfaces import ContentLoss, Pair, as_scales, blur_estimator, size_multiple
from deblurlab.losses import WeightedSum, per_image, require_per_image
from deblurlab.metrics import ImageScores, score
from deblurlab.metrics.scores import without_zero_counts
from deblurlab.pictures.reflection import reflected
from deblurlab.tasks.channels_last import channels_last
from deblurlab.tasks.patches import assemble, cut


class Restoration(LightningModule):
    """Abstract: a task that restores blurred images. All tasks are scored in the same way, however they are trained.

    Validation logs the mean scores of the restored images as ``val/loss``, ``val/ssim``, ... Test logs them as
    ``test/restored/loss``, ..., and those of the blurred images, which are the baseline, as ``test/blurred/loss``, ...

    Args:
        network: See :class:`deblurlab.interfaces.Network`.
        loss: Takes restored and sharp images, (B, 3, H, W), and returns one value per image, (B,), or is a loss of
            PyTorch or kornia, see :func:`deblurlab.losses.per_image`.
    """

    def __init__(self, network: nn.Module, loss: ContentLoss) -> None:
        super().__init__()
        self.network = channels_last(network)
        self.loss = per_image(loss)
        self.val_scores = ImageScores()
        self.test_scores = ImageScores()
        self.test_blurred_scores = ImageScores()
        # Networks that score images, by name; only tests use them. A plain dict keeps them out of checkpoints.
        self.test_metrics: dict[str, nn.Module] = {}

    def score_further(self, metrics: Mapping[str, nn.Module]) -> None:
        """Have tests compute further scores: see :func:`deblurlab.metrics.further_metrics.further_metrics`.

        Args:
            metrics: The modules that compute them, by name. Each takes restored and sharp images, two (B, 3, H, W)
                batches in about [0, 1], and returns one value per image, (B,).
        """
        self.test_metrics = dict(metrics)
        self.test_scores, self.test_blurred_scores = ImageScores(list(metrics)), ImageScores(list(metrics))

    def setup(self, stage: str) -> None:
        """Check the loss before training starts.

        Raises:
            ValueError: If the loss does not return one value per image.
        """
        if stage == "fit":
            require_per_image(self.loss)

    def scales(self, blurred: Tensor) -> list[Tensor]:
        """Restore a batch, (B, 3, H, W) in [0, 1], at all the scales of the network.

        Returns:
            The restored images, about [0, 1], of the shape and type of ``blurred``. If the network is a multi-scale
            one, the same images at smaller scales follow, from fine to coarse.

        Raises:
            ValueError: If the network returns images of another shape.
        """
        restored = as_scales(self.network(blurred.contiguous(memory_format=torch.channels_last)))
        if restored[0].shape != blurred.shape:
            raise ValueError(
                f"{type(self.network).__name__} takes {tuple(blurred.shape)} and returns {tuple(restored[0].shape)}: a "
                "network must return images of the shape that it takes. Do its convolutions pad their images?"
            )
        return [images.to(blurred.dtype) for images in restored]

    def restore(self, blurred: Tensor) -> Tensor:
        """Restore a batch, (B, 3, H, W) in [0, 1]. The result has the same shape and dtype, in about [0, 1]."""
        return self.scales(blurred)[0]

    def restore_whole(self, batch: Pair) -> Tensor:
        """Restore the images of a batch, (B, 3, H, W), in patches if its grid is not (1, 1).

        The network is applied to one row of patches at a time, which bounds the memory. Images that are not cut may
        have any size: they are continued by their reflection to a size that the network takes.
        """
        rows, columns = batch.grid
        if batch.grid == (1, 1):
            height, width = batch.blurred.shape[-2:]
            return self.restore(_continued(batch.blurred, size_multiple(self.network)))[..., :height, :width]
        strips = batch.blurred.chunk(rows, dim=-2)
        restored = [assemble(self.restore(cut(strip, (1, columns))), (1, columns)) for strip in strips]
        return torch.cat(restored, dim=-2)

    def mean_over_scales(self, restored: Sequence[Tensor], sharp: Sequence[Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean of :meth:`loss_parts` over pairs of equally large batches, one pair for each scale."""
        pairs = zip(restored, sharp, strict=True)
        losses, parts = zip(*(self.loss_parts(one, other) for one, other in pairs), strict=True)
        return torch.stack(losses).mean(), {name: torch.stack([one[name] for one in parts]).mean() for name in parts[0]}

    def loss_parts(self, restored: Tensor, sharp: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean loss of a batch, and the means of its parts as ``loss_NAME`` if the loss is a weighted sum."""
        if not isinstance(self.loss, WeightedSum):
            return self.loss(restored, sharp).mean(), {}
        parts = self.loss.parts(restored, sharp)
        return self.loss.total(parts).mean(), {f"loss_{name}": part.detach().mean() for name, part in parts.items()}

    def log_means(self, scalars: Mapping[str, Tensor]) -> None:
        """Log means over the current batch: per step, and averaged over the epoch, whose batches have equal sizes.

        With several processes, each of which has the mean over its part of the batch, the mean of these is logged. One
        exchange is for all scalars; Lightning's ``sync_dist`` would make one for each, and two more when an epoch ends.
        """
        if distributed.is_available() and distributed.is_initialized():
            total = torch.stack([scalar.detach().float() for scalar in scalars.values()])
            distributed.all_reduce(total)
            scalars = dict(zip(scalars, total / distributed.get_world_size(), strict=True))
        self.log_dict(scalars, on_step=True, on_epoch=True, batch_size=1)

    def score_images(self, restored: Tensor, sharp: Tensor) -> dict[str, Tensor]:
        """The scores of each image by name, (B,) each, in float32 whatever precision the network runs in."""
        with torch.autocast(restored.device.type, enabled=False):
            return score(restored, sharp, self.loss)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        _require_pair(batch)

    def on_validation_batch_start(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        _require_pair(batch)

    def on_test_batch_start(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        _require_pair(batch)

    def on_validation_epoch_start(self) -> None:
        self.val_scores.reset()

    def validation_step(self, batch: Pair, batch_idx: int) -> Tensor:
        restored = self.restore(batch.blurred)
        self.val_scores.update(self.score_images(restored, batch.sharp), batch.valid)
        return restored

    def on_validation_epoch_end(self) -> None:
        means = self._means(self.val_scores)
        self.log_dict({f"val/{name}": value for name, value in means.items() if name != "images"})

    def on_test_epoch_start(self) -> None:
        self.test_scores.reset()
        self.test_blurred_scores.reset()
        for metric in self.test_metrics.values():
            metric.to(self.device)

    def test_step(self, batch: Pair, batch_idx: int) -> dict[str, dict[str, Tensor]]:
        """Score a batch.

        Returns:
            The scores of each image by name, (B,) each, with those of :attr:`test_metrics`: under "restored" for the
            restored images and under "blurred" for the baseline. If the network estimates the blur, "estimated" holds
            its ``sigma`` in pixels.
        """
        restored = self.restore_whole(batch)
        scores = {
            "restored": self.score_images(restored, batch.sharp),
            "blurred": self.score_images(batch.blurred, batch.sharp),
        }
        with torch.autocast(batch.sharp.device.type, enabled=False):
            # all scores of one version in turn, since some share the alignment of the last images
            for version, images in (("restored", restored), ("blurred", batch.blurred)):
                scores[version] |= {name: metric(images, batch.sharp) for name, metric in self.test_metrics.items()}
        self.test_scores.update(scores["restored"], batch.valid)
        self.test_blurred_scores.update(scores["blurred"], batch.valid)
        if (estimator := blur_estimator(self.network)) is not None:
            scores["estimated"] = {"sigma": estimator.estimate_sigma(batch.blurred)}
        return scores

    def on_test_epoch_end(self) -> None:
        for name, scores in (("restored", self.test_scores), ("blurred", self.test_blurred_scores)):
            means = without_zero_counts(self._means(scores))
            self.log_dict({f"test/{name}/{score}": value for score, value in means.items()})

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint of another network with one sentence; PyTorch would list every key.

        Raises:
            ValueError: If the names or shapes of the weights differ.
        """
        own, stored = self.state_dict(), checkpoint["state_dict"]
        differing = [name for name in own | stored if _shape(own, name) != _shape(stored, name)]
        if differing:
            name = differing[0]
            raise ValueError(
                f"the checkpoint is of another network: {name} is {_shape(stored, name)} there and "
                f"{_shape(own, name)} here ({counted(len(differing), 'difference')} in all). "
                "Choose the model it was trained with."
            )

    @staticmethod
    def _means(scores: ImageScores) -> dict[str, Tensor]:
        means = scores.compute()
        values = torch.stack([mean.float() for mean in means.values()]).cpu()  # all in one transfer from the device
        return dict(zip(means, values, strict=True))


class TrainedNetwork(Restoration):
    """A trained network, for validation and test only. It has no optimizer."""


def _require_pair(batch: Any) -> None:
    """Refuse a batch that no data module has prepared, such as one of a loader that the Trainer got by itself.

    Raises:
        ValueError: If the batch is not a :class:`deblurlab.interfaces.Pair`.
    """
    if not isinstance(batch, Pair):
        raise ValueError(
            f"a task takes batches of deblurlab.interfaces.Pair, and got {type(batch).__name__}. Give the Trainer the "
            "data module (datamodule=data) and not its loaders, because the data module prepares their batches; a "
            "loader of your own yields Pair(blurred=..., sharp=..., valid=...)."
        )


def _continued(images: Tensor, multiple: int) -> Tensor:
    """Continue images, (B, C, H, W), at the right and below by their reflection until H and W are multiples."""
    for dim in (-2, -1):
        if (size := images.shape[dim]) % multiple:
            indices = reflected(np.arange(-(-size // multiple) * multiple), size)
            images = images.index_select(dim, torch.from_numpy(indices).to(images.device))
    return images


def _shape(state: Mapping[str, Tensor], name: str) -> str:
    return "x".join(map(str, state[name].shape)) or "a scalar" if name in state else "missing"
