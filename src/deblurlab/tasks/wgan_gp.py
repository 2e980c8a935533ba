"""The training of a network that undoes the blur, against a critic that distinguishes restored from sharp images."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from deblurlab.checks import require
from deblurlab.interfaces import ContentLoss, Pair, pyramid
from deblurlab.losses import Wasserstein, gradient_penalty
from deblurlab.tasks.channels_last import channels_last
from deblurlab.tasks.optimization import make_optimizer, make_step_schedule
from deblurlab.tasks.restoration import Restoration

Scalars = dict[str, Tensor]


def signed(images: Tensor) -> Tensor:
    """Map images from [0, 1] to [-1, 1], the range in which the study's WGANs compute their losses."""
    return 2 * images - 1


class WGANGP(Restoration):
    """Wasserstein GAN with gradient penalty (Gulrajani et al., 2017).

    The critic makes several steps for each step of the generator. The generator restores a batch once: all of the
    critic's steps use these images without their gradient, and the generator's own step then backpropagates through the
    same forward pass, since its weights have not changed in between. The gradient penalty is computed in float32.

    Args:
        network: The generator; see :class:`deblurlab.interfaces.Network`.
        critic: Takes images, (B, 3, H, W) in [-1, 1], and returns one score per image, (B,).
        loss: The content loss: takes restored and sharp images, (B, 3, H, W), and returns one value per image, (B,).
            For a multi-scale network, it is averaged over the scales.
        adversarial: The losses of the critic and of the generator, computed from the critic's scores.
        optimizer: Takes the generator's parameters and returns an optimizer of them.
        critic_optimizer: Takes the critic's parameters and returns an optimizer of them.
        content_weight: The factor of the content loss in the generator's loss.
        adversarial_weight: The factor of the adversarial loss in the generator's loss.
        penalty_weight: The factor of the gradient penalty in the critic's loss.
        critic_steps: The number of critic steps for each generator step.
        fresh_critic_batches: Whether each critic step gets a new batch, as in Gulrajani et al. The generator then makes
            a step on every ``critic_steps``-th batch.
        seed: Seed of the points between sharp and restored images at which the penalty is computed.
        step_scheduler: Takes an optimizer and ``total_steps``, the number of batches of the training, and returns a
            schedule that is stepped after each batch. Generator and critic get one each; None keeps their rates.
        clip_norm: The largest norm of the gradient of generator or critic; larger gradients are scaled down to it. None
            does not clip.
        micro_batches: Split the batch into this many parts, compute the gradients of each step on one part after the
            other, and make the step with their mean. This saves memory, but the generator restores each part a second
            time, and batch normalisation sees one part at a time.

    Raises:
        ValueError: If ``critic_steps`` or ``micro_batches`` is less than 1, or ``clip_norm`` is not positive.
    """

    def __init__(
        self,
        *,
        network: nn.Module,
        critic: nn.Module,
        loss: ContentLoss,
        adversarial: Wasserstein,
        optimizer: Callable[[Iterator[nn.Parameter]], Optimizer],
        critic_optimizer: Callable[[Iterator[nn.Parameter]], Optimizer],
        content_weight: float,
        adversarial_weight: float,
        penalty_weight: float,
        critic_steps: int,
        fresh_critic_batches: bool,
        seed: int,
        step_scheduler: Callable[..., LRScheduler] | None = None,
        clip_norm: float | None = None,
        micro_batches: int = 1,
    ) -> None:
        super().__init__(network, loss)
        for name, value in (("critic_steps", critic_steps), ("micro_batches", micro_batches)):
            require.whole_number(f"model.{name}", value, at_least=1)
        if clip_norm is not None and not clip_norm > 0:  # NaN is refused, too
            raise ValueError(f"model.clip_norm must be a positive number, or null for no clipping, got {clip_norm}.")
        self._step_scheduler, self.clip_norm, self.micro_batches = step_scheduler, clip_norm, micro_batches
        self.automatic_optimization = False
        self.critic = channels_last(critic)
        self.adversarial = adversarial
        self._optimizer, self._critic_optimizer = optimizer, critic_optimizer
        self.content_weight, self.adversarial_weight = content_weight, adversarial_weight
        self.penalty_weight = penalty_weight
        self.critic_steps, self.fresh_critic_batches = critic_steps, fresh_critic_batches
        self.seed = seed
        self._rank, self._world = 0, 1

    def take_part(self, rank: int, world: int) -> None:
        """See :class:`deblurlab.interfaces.DrawsForRows`."""
        self._rank, self._world = rank, world

    def configure_optimizers(self) -> Any:
        players = ((self._optimizer, self.network), (self._critic_optimizer, self.critic))
        optimizers = [make_optimizer(optimizer, player) for optimizer, player in players]
        if self._step_scheduler is None:
            return optimizers
        return optimizers, [
            make_step_schedule(self._step_scheduler, optimizer, self.trainer) for optimizer in optimizers
        ]

    def training_step(self, batch: Pair, batch_idx: int) -> None:
        """Make the critic's steps with a batch, then the generator's if it is due, and log the means of their values.

        Raises:
            ValueError: If ``micro_batches`` does not divide the batch.
        """
        optimizer, critic_optimizer = self.optimizers()  # type: ignore[attr-defined]  # it is a list of two
        steps = 1 if self.fresh_critic_batches else self.critic_steps
        # the batches so far, over all epochs; tests/callbacks/test_lightning_internals.py fails if Lightning changes it
        batches = self.trainer.fit_loop.total_batch_idx + 1
        generator_steps = not self.fresh_critic_batches or batches % self.critic_steps == 0
        self._require_equal_parts(len(batch.sharp))
        blurred, sharp = (images.chunk(self.micro_batches) for images in (batch.blurred, batch.sharp))
        one_pass = self.micro_batches == 1  # then one forward pass serves the critic and the generator
        with torch.set_grad_enabled(one_pass and generator_steps):
            scales = [self.scales(part) for part in blurred]
        real, fake = [signed(part) for part in sharp], [signed(part[0].detach()) for part in scales]
        each = [
            self.critic_step(real, fake, alpha.chunk(self.micro_batches), critic_optimizer)
            for alpha in self.alphas(steps, batch.sharp)
        ]
        scalars = {name: torch.stack([one[name] for one in each]).mean() for name in each[0]}
        if generator_steps:
            again = (self.scales(part) for part in blurred)
            scalars |= self.generator_step(scales if one_pass else again, sharp, optimizer)
        for schedule in self.schedules():
            schedule.step()
        self.log_means({f"train/{name}": value for name, value in scalars.items()})

    def _require_equal_parts(self, images: int) -> None:
        if images % self.micro_batches:
            share = f"what each of {self._world} processes has of a batch, {images} images"
            batch = share if self._world > 1 else f"a batch of {images}"
            raise ValueError(f"model.micro_batches={self.micro_batches} does not divide {batch}.")

    def alphas(self, steps: int, images: Tensor) -> list[Tensor]:
        """Draw the point at which each critic step computes the penalty of each image.

        The draws depend on the seed and the step alone: they are the same on every device and after a resume. With
        several processes, each uses the draws of its own rows.

        Args:
            steps: The number of critic steps.
            images: The batch, (B, C, H, W).

        Returns:
            One tensor per step, (B,), uniform in [0, 1).
        """
        rows = len(images)
        shape = (steps, self._world * rows)
        draws = np.random.default_rng((self.seed, self.global_step)).random(shape, dtype=np.float32)
        mine = draws[:, self._rank * rows : (self._rank + 1) * rows]
        return list(torch.from_numpy(mine).to(images).unbind())  # one transfer to the device for all steps

    def critic_step(
        self, real: Sequence[Tensor], fake: Sequence[Tensor], alpha: Sequence[Tensor], optimizer: LightningOptimizer
    ) -> Scalars:
        """Make one step of the critic.

        Args:
            real: The sharp images of each part of the batch, (B, 3, H, W) in [-1, 1].
            fake: The restored images of each part, of the same shape and range, without gradient.
            alpha: For each part (B,): where between ``real`` (0) and ``fake`` (1) the penalty is computed.
            optimizer: The critic's optimizer.

        Returns:
            The values to log: the loss, the penalty, the gap between the mean scores, and the norm of the gradient.
        """
        losses = (self._critic_loss(*part) for part in zip(real, fake, alpha, strict=True))
        scalars, norm = self._step(losses, len(real), self.critic, optimizer)
        return scalars | {"critic_norm": norm}

    def _critic_loss(self, real: Tensor, fake: Tensor, alpha: Tensor) -> tuple[Tensor, Scalars]:
        # Sharp and restored images alternate: if a batch is split over devices, each device keeps its own pairs.
        both = torch.stack((real, fake), dim=1).flatten(0, 1)
        real_scores, fake_scores = self.critic(both).to(real.dtype).unflatten(0, (-1, 2)).unbind(1)
        with torch.autocast(real.device.type, enabled=False):
            penalty = gradient_penalty(self.critic, real, fake, alpha).mean()
        loss = self.adversarial.critic(real_scores, fake_scores) + self.penalty_weight * penalty
        gap = real_scores.mean() - fake_scores.mean()
        return loss, {"critic_loss": loss.detach(), "penalty": penalty.detach(), "gap": gap.detach()}

    def generator_step(
        self, scales: Iterable[list[Tensor]], sharp: Sequence[Tensor], optimizer: LightningOptimizer
    ) -> Scalars:
        """Make one step of the generator. The critic's weights get no gradient.

        Args:
            scales: The restored images of each part of the batch at all scales, in about [0, 1], with their gradient.
            sharp: The sharp images of each part, (B, 3, H, W) in [0, 1].
            optimizer: The generator's optimizer.

        Returns:
            The values to log: the loss, its content and adversarial parts, and the norm of the gradient.
        """
        self.critic.requires_grad_(False)
        losses = (self._generator_loss(*part) for part in zip(scales, sharp, strict=True))
        scalars, norm = self._step(losses, len(sharp), self.network, optimizer)
        self.critic.requires_grad_(True)
        return scalars | {"generator_norm": norm}

    def _generator_loss(self, scales: list[Tensor], sharp: Tensor) -> tuple[Tensor, Scalars]:
        content, parts = self.content(scales, sharp)
        adversarial = self.adversarial.generator(self.critic(signed(scales[0])).to(sharp.dtype))
        loss = self.content_weight * content + self.adversarial_weight * adversarial
        scalars = {"loss": loss.detach(), "content": content.detach(), "adversarial": adversarial.detach()}
        return loss, scalars | parts

    def content(self, scales: list[Tensor], sharp: Tensor) -> tuple[Tensor, Scalars]:
        """The content loss, averaged over batch and scales, and its parts, computed in float32 on images in [-1, 1]."""
        with torch.autocast(sharp.device.type, enabled=False):
            targets = pyramid(self.network, sharp, scales)
            return self.mean_over_scales([signed(one) for one in scales], [signed(one) for one in targets])

    def schedules(self) -> list[LRScheduler]:
        """The learning rate schedules of generator and critic; an empty list without a schedule."""
        found = self.lr_schedulers()
        return found if isinstance(found, list) else []

    def _step(
        self, losses: Iterable[tuple[Tensor, Scalars]], parts: int, player: nn.Module, optimizer: LightningOptimizer
    ) -> tuple[Scalars, Tensor]:
        """Make one optimizer step of the generator or the critic.

        Args:
            losses: The loss of each part of the batch, and the values to log. It is a generator: the graph of one part
                is freed before that of the next is built.
            parts: The number of parts.
            player: The generator or the critic.
            optimizer: The optimizer of ``player``.

        Returns:
            The means of the values to log, and the norm of the gradient before clipping.
        """
        optimizer.zero_grad()
        weights = [weight for weight in player.parameters() if weight.requires_grad]
        logged = []
        for loss, scalars in losses:
            self.manual_backward(loss / parts if parts > 1 else loss, inputs=weights)
            logged.append(scalars)
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
        if self.clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(weights, self.clip_norm, norm)
        optimizer.step()
        torch.clear_autocast_cache()  # it holds bfloat16 copies of the weights from before this step
        means = {name: torch.stack([one[name] for one in logged]).mean() for name in logged[0]}
        return (means if parts > 1 else logged[0]), norm
