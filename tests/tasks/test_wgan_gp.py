"""The WGAN's task against the plain formulation of the study, player by player."""

import copy
import functools
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh, Wasserstein
from deblurlab.losses.logcosh import log_cosh
from deblurlab.tasks import WGANGP

pytestmark = [
    pytest.mark.filterwarnings("ignore:You defined a `validation_step` but have no `val_dataloader`"),
    pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:The number of training batches"),
]


class Generator(nn.Module):
    """Two scales and a BatchNorm, as MSDeblur has them."""

    def __init__(self) -> None:
        super().__init__()
        # No bias before a BatchNorm: its gradient is rounding alone, which Adam would make a step of.
        self.conv = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.output = nn.Conv2d(6, 3, 1)

    def forward(self, blurred: Tensor) -> list[Tensor]:
        full = torch.sigmoid(self.output(torch.tanh(self.norm(self.conv(blurred)))) + blurred)
        return [full, nn.functional.avg_pool2d(full, 2).square()]


class Critic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=2)
        self.output = nn.Conv2d(4, 1, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.output(torch.tanh(self.conv(images))).flatten(1).mean(dim=1)


class Batches(Dataset[Pair]):
    def __init__(self, count: int, dtype: torch.dtype = torch.double) -> None:
        torch.manual_seed(1)
        self.pairs = [torch.rand(2, 4, 3, 8, 8, dtype=dtype) for _ in range(count)]

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        return Pair(*self.pairs[index], valid=torch.ones(4, dtype=torch.bool))


def make(**options: Any) -> WGANGP:
    torch.manual_seed(0)
    adam = functools.partial(torch.optim.Adam, lr=1e-2, betas=(0.5, 0.9))
    settings: dict[str, Any] = {
        "network": Generator(),
        "critic": Critic(),
        "loss": LogCosh(),
        "adversarial": Wasserstein(),
        "optimizer": adam,
        "critic_optimizer": adam,
        "content_weight": 0.5,
        "adversarial_weight": 1e-2,
        "penalty_weight": 10.0,
        "critic_steps": 5,
        "fresh_critic_batches": False,
        "seed": 0,
    }
    return WGANGP(**settings | options)


def fit(task: WGANGP, batches: Dataset[Pair], **options: Any) -> Trainer:
    settings: dict[str, Any] = {"accelerator": "cpu", "precision": "64-true", "max_epochs": 1} | options
    quiet = ("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing")
    trainer = Trainer(**settings, **dict.fromkeys(quiet, False))
    trainer.fit(task, DataLoader(batches, batch_size=None))
    return trainer


def plain(generator: nn.Module, critic: nn.Module, batches: Batches, alphas: list[list[Tensor]]) -> None:
    """The study's step as it is written down: a generator pass for each critic step, real and fake apart."""
    optimizers = [torch.optim.Adam(one.parameters(), lr=1e-2, betas=(0.5, 0.9)) for one in (generator, critic)]
    for batch, steps in zip(batches, alphas, strict=True):
        real = 2 * batch.sharp - 1
        for alpha in steps:
            fake = (2 * generator(batch.blurred)[0] - 1).detach()
            between = ((1 - alpha[:, None, None, None]) * real + alpha[:, None, None, None] * fake).requires_grad_()
            (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            norm = gradient.square().sum(dim=(1, 2, 3)).sqrt()
            loss = critic(fake).mean() - critic(real).mean() + 10 * (norm - 1).square().mean()
            critic.zero_grad()
            loss.backward()
            optimizers[1].step()
        full, half = generator(batch.blurred)
        content = log_cosh(2 * (full - batch.sharp)).mean()
        content = (content + log_cosh(2 * (half - nn.functional.avg_pool2d(batch.sharp, 2))).mean()) / 2
        loss = 0.5 * content - 1e-2 * critic(2 * full - 1).mean()
        generator.zero_grad()
        loss.backward()
        optimizers[0].step()


def test_the_weights_equal_those_of_the_plain_formulation(monkeypatch: pytest.MonkeyPatch) -> None:
    task, batches, drawn = make(), Batches(4), []
    generator, critic = copy.deepcopy(task.network).double(), copy.deepcopy(task.critic).double()
    draw = task.alphas
    monkeypatch.setattr(task, "alphas", lambda *arguments: drawn.append(draw(*arguments)) or drawn[-1])
    fit(task, batches)
    assert len({float(alpha) for batch in drawn for step in batch for alpha in step}) == 4 * 5 * 4
    plain(generator, critic, batches, drawn)
    for ours, theirs in ((task.network, generator), (task.critic, critic)):
        for (name, weight), expected in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(weight, expected, rtol=1e-10, atol=1e-12, msg=name)


def test_five_critic_steps_to_one_generator_step(monkeypatch: pytest.MonkeyPatch) -> None:
    task, order = make(), []
    for name in ("critic_step", "generator_step"):
        step = getattr(task, name)
        monkeypatch.setattr(task, name, lambda *a, step=step, name=name: order.append(name) or step(*a))
    passes = []
    task.network.register_forward_hook(lambda *_: passes.append("generator"))
    trainer = fit(task, Batches(3))
    assert order == 3 * (5 * ["critic_step"] + ["generator_step"])
    assert len(passes) == 3, "the generator restores a batch once"
    generator, critic = trainer.optimizers
    assert {int(state["step"]) for state in generator.state.values()} == {3}
    assert {int(state["step"]) for state in critic.state.values()} == {15}


def test_fresh_critic_batches_step_the_generator_on_every_fifth_batch() -> None:
    task = make(fresh_critic_batches=True)
    generator, critic = fit(task, Batches(11)).optimizers
    assert {int(state["step"]) for state in generator.state.values()} == {2}
    assert {int(state["step"]) for state in critic.state.values()} == {11}


def test_fresh_critic_batches_are_counted_over_epochs() -> None:
    """Epochs of three batches: no epoch has five, but the run has."""
    generator, _ = fit(make(fresh_critic_batches=True), Batches(3), max_epochs=4).optimizers
    assert {int(state["step"]) for state in generator.state.values()} == {2}


def test_no_gradient_leaks_to_the_other_player(monkeypatch: pytest.MonkeyPatch) -> None:
    task, leaks = make(), []

    def watched(name: str, other: nn.Module) -> None:
        step = getattr(task, name)

        def run(*arguments: Any) -> Any:
            other.zero_grad()
            weights = [parameter.detach().clone() for parameter in other.parameters()]
            result = step(*arguments)
            leaks.extend(parameter.grad is not None for parameter in other.parameters())
            leaks.extend(
                not torch.equal(*both) for both in zip(weights, [p.detach() for p in other.parameters()], strict=True)
            )
            return result

        monkeypatch.setattr(task, name, run)

    watched("critic_step", task.network)
    watched("generator_step", task.critic)
    fit(task, Batches(2))
    assert leaks
    assert not any(leaks)
    assert all(parameter.requires_grad for parameter in task.parameters())


def test_under_bfloat16_the_penalty_is_float32_and_no_step_sees_old_weights() -> None:
    """Autocast keeps bfloat16 copies of weights, which a step must not leave to the next."""
    task, seen = make(), []

    def look(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        seen.append((copy.deepcopy(module.state_dict()), inputs[0].detach(), output.detach()))

    handle = task.critic.register_forward_hook(look)
    fit(task, Batches(1, torch.float32), precision="bf16-mixed")
    handle.remove()
    assert [scores.dtype for *_, scores in seen] == [*5 * [torch.bfloat16, torch.float32], torch.bfloat16]
    for weights, images, scores in seen:
        task.critic.load_state_dict(weights)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=scores.dtype == torch.bfloat16), torch.no_grad():
            torch.testing.assert_close(scores, task.critic(images), rtol=0, atol=0)


def test_a_multi_scale_content_loss_is_the_mean_over_scales() -> None:
    torch.manual_seed(0)
    sharp, scales = torch.rand(2, 3, 8, 8).double(), [torch.rand(2, 3, side, side).double() for side in (8, 4, 2)]
    small = [sharp, *(sharp.unfold(2, n, n).unfold(3, n, n).mean(dim=(-1, -2)) for n in (2, 4))]
    expected = sum((2 * (one - other)).cosh().log().mean() for one, other in zip(scales, small, strict=True)) / 3
    torch.testing.assert_close(make().content(scales, sharp)[0], expected)


def test_the_penalty_s_points_are_drawn_from_the_seed_and_the_step() -> None:
    task, other = make(), make(seed=1)
    images = torch.zeros(4, 3, 8, 8)
    first, again, differently = (torch.stack(one.alphas(5, images)) for one in (task, task, other))
    assert torch.equal(first, again)
    assert not torch.equal(first, differently)
    assert first.shape == (5, 4)
    assert 0 <= first.min() < first.max() < 1
