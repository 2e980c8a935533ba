import functools
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from deblurlab.data import Sample
from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh
from deblurlab.nets import UNet16
from deblurlab.processes.rank import variables
from deblurlab.tasks import Autoencoder
from deblurlab.tasks.schedules import constant_then_exponential


def _task(**options: object) -> Autoencoder:
    torch.manual_seed(0)
    settings = {"optimizer": functools.partial(torch.optim.Adam, lr=1e-2)} | options
    return Autoencoder(network=UNet16(widths=(4, 8)), loss=LogCosh(), **settings)


def _pair() -> Pair:
    torch.manual_seed(1)
    sharp = torch.rand(4, 3, 16, 16)
    return Pair(blurred=(sharp + 0.1).clamp(0, 1), sharp=sharp, valid=torch.ones(4, dtype=torch.bool))


def test_the_training_loss_is_the_mean_of_log_cosh() -> None:
    task, pair = _task(), _pair()
    task.log = lambda *_, **__: None
    error = (task.network(pair.blurred) - pair.sharp).double()
    torch.testing.assert_close(task.training_step(pair, 0).double(), error.cosh().log().mean())


def test_networks_may_have_parameters_of_five_dimensions() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 3, 3, padding=1), nn.Unflatten(1, (1, 3)), nn.Conv3d(1, 1, 1), nn.Flatten(1, 2)
    )
    weight = network[0].weight.clone()
    task = Autoencoder(network=network, loss=LogCosh(), optimizer=torch.optim.Adam)
    assert task.network[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(task.network[0].weight, weight)
    assert task.restore(torch.rand(2, 3, 8, 8)).shape == (2, 3, 8, 8)


def test_a_network_of_another_shape_is_refused() -> None:
    task = Autoencoder(network=nn.Conv2d(3, 3, 3), loss=LogCosh(), optimizer=torch.optim.Adam)
    with pytest.raises(ValueError, match=r"Conv2d takes \(4, 3, 16, 16\) and returns \(4, 3, 14, 14\)"):
        task.training_step(_pair(), 0)


@pytest.mark.parametrize("stage", ["fit", "validate", "test"])
def test_batches_that_no_data_module_has_prepared_are_refused(stage: str) -> None:
    """The loaders of a data module without it, and the pairs of a plain data set."""
    data = Sample(batch_size=4, sigma_range=(1.0, 2.0))
    name = {"fit": "train", "validate": "val", "test": "test"}[stage]
    own = DataLoader([(image, image) for image in torch.rand(4, 3, 16, 16)], batch_size=4)
    for loader, kind in ((getattr(data, f"{name}_dataloader")(), "SharpBatch"), (own, "list")):
        trainer = Trainer(accelerator="cpu", fast_dev_run=True, logger=False, enable_model_summary=False)
        given = {"train_dataloaders": loader, "val_dataloaders": loader} if stage == "fit" else {"dataloaders": loader}
        with pytest.raises(ValueError, match=rf"got {kind}\. Give the Trainer the data module"):
            getattr(trainer, stage)(_task(), **given)


class _ThreeScales(nn.Module):
    """Adds a constant of its own to each scale of the blurred images."""

    def __init__(self) -> None:
        super().__init__()
        self.added = nn.Parameter(torch.tensor([0.1, 0.2, 0.4]))

    def forward(self, blurred: Tensor) -> tuple[Tensor, ...]:
        return tuple(F.avg_pool2d(blurred, 2**scale) + self.added[scale] for scale in range(3))


@pytest.mark.parametrize("all_scales", [False, True])
def test_one_scale_or_all_scales_of_a_network_are_trained(all_scales: bool, caplog: pytest.LogCaptureFixture) -> None:
    task = Autoencoder(network=_ThreeScales(), loss=nn.MSELoss(), optimizer=torch.optim.Adam, all_scales=all_scales)
    task.log_dict = lambda *_, **__: None
    sharp = torch.rand(4, 3, 16, 16)
    for _ in range(2):
        loss = task.training_step(Pair(blurred=sharp, sharp=sharp, valid=torch.ones(4, dtype=torch.bool)), 0)
    loss.backward()
    trained = [0.1, 0.2, 0.4] if all_scales else [0.1]
    assert loss.item() == pytest.approx(sum(added**2 for added in trained) / len(trained), rel=1e-5)
    assert (task.network.added.grad != 0).tolist() == [True, all_scales, all_scales]
    warned = ["_ThreeScales returns 3 scales, of which only the first is trained: model.all_scales=true trains all"]
    assert caplog.messages == ([] if all_scales else warned)


def test_of_several_processes_one_warns_that_only_one_scale_is_trained(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in variables(1, 2, address="127.0.0.1", port=1).items():
        monkeypatch.setenv(name, value)
    task = Autoencoder(network=_ThreeScales(), loss=nn.MSELoss(), optimizer=torch.optim.Adam)
    task.log_dict = lambda *_, **__: None
    task.training_step(_pair(), 0)
    assert caplog.messages == []


def test_losses_and_scores_are_float32_under_autocast() -> None:
    task, pair = _task(), _pair()
    task.log = lambda *_, **__: None
    seen: list[torch.dtype] = []
    task.network.output.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = task.training_step(pair, 0)
        scores = task.score_images(task.restore(pair.blurred), pair.sharp)
    assert set(seen) == {torch.bfloat16}
    assert loss.dtype == torch.float32
    assert {value.dtype for value in scores.values()} == {torch.float32}


def test_an_optimizer_step_lowers_the_loss() -> None:
    task, pair = _task(), _pair()
    task.log = lambda *_, **__: None
    optimizer = task.configure_optimizers()
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = task.training_step(pair, 0)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_the_rate_is_constant_then_decays_exponentially() -> None:
    schedule = functools.partial(constant_then_exponential, constant_epochs=3, gamma=0.5)
    configured = _task(scheduler=schedule).configure_optimizers()
    rates = []
    for _ in range(6):
        rates.append(configured["optimizer"].param_groups[0]["lr"])
        configured["optimizer"].step()
        configured["lr_scheduler"].step()
    assert rates == pytest.approx([1e-2, 1e-2, 1e-2, 5e-3, 2.5e-3, 1.25e-3])


@pytest.mark.filterwarnings("ignore:.*does not have many workers", "ignore:.*have no `val_dataloader`")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize(("algorithm", "order"), [(None, 2), ("norm", 2), ("value", float("inf"))])
def test_gradients_are_clipped_for_a_fused_optimizer(
    algorithm: str | None, order: float, precision: str, tmp_path: Path
) -> None:
    """Plain descent at a rate of 1 moves the weights by the clipped gradient: its norm, or largest value, is known."""
    task = _task(optimizer=functools.partial(torch.optim.SGD, lr=1.0, fused=True))
    before = [weight.detach().clone() for weight in task.parameters()]
    trainer = Trainer(
        accelerator="cpu",
        precision=precision,
        max_steps=1,
        gradient_clip_val=1e-3,
        gradient_clip_algorithm=algorithm,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(task, DataLoader([_pair()], batch_size=None))
    moved = [weight.detach() - old for weight, old in zip(task.parameters(), before, strict=True)]
    assert float(nn.utils.get_total_norm(moved, order)) == pytest.approx(1e-3, rel=1e-3)


def test_a_checkpoint_of_another_network_is_refused_by_name() -> None:
    other = nn.ModuleDict({"network": UNet16(widths=(4, 16))}).state_dict()
    with pytest.raises(ValueError, match=r"network\.encoder\.1\.0\.weight is 16x4x3x3 there and 8x4x3x3 here"):
        _task().on_load_checkpoint({"state_dict": other})
    state = _task().state_dict()
    del state["network.output.bias"]
    with pytest.raises(ValueError, match=r"network\.output\.bias is missing there"):
        _task().on_load_checkpoint({"state_dict": state})
