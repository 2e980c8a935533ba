"""Every configuration composes and builds, and every experiment runs."""

import itertools
import re
from functools import partial
from pathlib import Path

import hydra
import pytest
import torch
from lightning.pytorch import Callback, LightningDataModule, Trainer
from lightning.pytorch.loggers import Logger
from omegaconf import OmegaConf
from PIL import Image
from torch import nn

from deblurlab.app import build
from deblurlab.nets import UNet16
from deblurlab.run import trusted
from deblurlab.run.defaults import with_defaults
from deblurlab.run.names import CONF
from deblurlab.tasks.restoration import Restoration
from tests.composing import configuration
from tests.conftest import Call
from tests.pictures import picture


def options(group: str) -> list[str]:
    return sorted(file.stem for file in (CONF / group).glob("*.yaml"))


@pytest.fixture
def composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    return partial(configuration, "train", "run=run")


@pytest.mark.parametrize("name", options("data"))
def test_data(name: str, composed) -> None:
    assert isinstance(build.data(composed(f"data={name}")), LightningDataModule)


@pytest.mark.parametrize("name", options("model"))
def test_model(name: str, composed) -> None:
    task = build.task(composed(f"model={name}"))
    assert isinstance(task, Restoration)
    task.configure_optimizers()


# The groups that a run chooses from, and the override that a group needs.
GROUPS = {"data": "", "data/blur": "data=folder", "model": "", "model/loss": "", "callbacks": "", "logger": ""}
CHOICES = [
    *((f"experiment={name}",) for name in options("experiment")),
    *((f"{group}={name}", *([needs] if needs else [])) for group, needs in GROUPS.items() for name in options(group)),
]


@pytest.mark.parametrize("overrides", CHOICES, ids=" ".join)
def test_the_folder_of_a_run_may_name_every_option(overrides: tuple[str, ...], composed) -> None:
    config = OmegaConf.to_container(composed(*overrides), resolve=True)
    trusted.check(with_defaults(config), trust=(), source="config.yaml")


@pytest.mark.parametrize("group", [*GROUPS, "trainer", "sweep"])
def test_the_page_on_training_lists_every_option(group: str) -> None:
    page = (Path(__file__).parents[1] / "docs/training.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{group}` |")]
    assert set(options(group)) <= set(re.findall(r"`(\w+)`", row))


@pytest.mark.parametrize("name", [name for name in options("trainer") if name not in ("gpu", "tpu", "xla_cpu")])
def test_trainer(name: str, composed) -> None:
    assert isinstance(build.trainer(composed(f"trainer={name}", "logger=none")), Trainer)


def test_a_trainer_without_a_backend_s_keys_says_where_they_are(composed) -> None:
    cfg = composed("trainer=cpu", "~trainer.graph", "~trainer.keep_memory")
    with pytest.raises(ValueError, match=r"the trainer group lacks graph, keep_memory: .*`defaults: \[auto\]`"):
        build.trainer(cfg)


def test_building_a_trainer_changes_no_configuration(composed) -> None:
    cfg = composed("trainer=cpu", "logger=none")
    before = cfg.copy()
    build.trainer(cfg)
    assert cfg == before


@pytest.mark.parametrize("name", options("logger"))
def test_logger(name: str, composed) -> None:
    trainer = build.trainer(composed(f"logger={name}"))
    assert all(isinstance(logger, Logger) for logger in trainer.loggers)
    assert len(trainer.loggers) == (name != "none")


@pytest.mark.parametrize("name", options("callbacks"))
def test_callbacks(name: str, composed) -> None:
    cfg = composed(f"callbacks={name}", "logger=none")
    assert all(isinstance(callback, Callback) for callback in build.trainer(cfg).callbacks)


@pytest.mark.parametrize("name", options("experiment"))
def test_experiment(name: str, call: Call, tiny_cifar10: Path, tiny_reds: Path, tmp_path: Path) -> None:
    data = [f"data.root={tiny_cifar10}", "data.batch_size=4"] if name.startswith("cifar10") else []
    if name.startswith("reds"):
        data = [f"data.root={tiny_reds}", "data.batch_size=4", "data.size=[72,128]"]
    if name.endswith("msdeblur_wgan"):
        data += ["model.network.blocks=1"]
    if name == "gopro_nafnet":
        for split, folder, number in itertools.product(("train", "test"), ("blur", "sharp"), range(2)):
            file = tmp_path / split / "sequence" / folder / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(number, 256, 320)).save(file)
        data = [f"data.root={tmp_path}", "data.patch=[256,320]", "data.batch_size=1", "model.network.width=4"]
    if name == "photographs":
        for number in range(16):
            Image.fromarray(picture(number, 176, 176)).save(tmp_path / f"{number}.png")
        data = [f"data.root={tmp_path}"]
    call("train", f"experiment={name}", "trainer=cpu", "trainer.fast_dev_run=true", "run=run", *data)


def test_an_experiment_keeps_the_studys_settings(composed) -> None:
    for name in ("resnet16", "unet16", "rednet30"):
        reds = composed(f"experiment=reds_{name}")
        assert (reds.data.size, reds.data.grid, reds.data.batch_size) == ([288, 512], [3, 4], 256)
        assert (reds.model.optimizer.lr, reds.trainer.max_epochs) == (1e-3, 100)
        cfg = composed(f"experiment=cifar10_{name}")
        assert cfg.data.batch_size == 256
        assert cfg.model.optimizer.lr == 1e-3
        assert cfg.trainer.max_epochs == (200 if name == "rednet30" else 120)
        assert cfg.trainer.gradient_clip_val is None
        assert "ema" not in cfg.callbacks


def test_a_wgan_experiment_keeps_the_studys_settings(composed) -> None:
    epochs = {"cifar10_msdeblur_wgan": 150, "cifar10_rednet30_wgan": 350, "reds_msdeblur_wgan": 100}
    for name, expected in epochs.items():
        cfg = composed(f"experiment={name}")
        assert (cfg.data.batch_size, cfg.trainer.max_epochs) == (256, expected)
        for optimizer in (cfg.model.optimizer, cfg.model.critic_optimizer):
            assert (optimizer.lr, optimizer.betas) == (2e-4, [0.5, 0.9])
        assert (cfg.model.critic_steps, cfg.model.penalty_weight, cfg.model.adversarial_weight) == (5, 10, 1e-4)
        assert not cfg.model.fresh_critic_batches
    reds = composed("experiment=reds_msdeblur_wgan")
    assert (reds.data.size, reds.data.grid, reds.model.network.blocks) == ([144, 256], [3, 4], 5)
    assert composed("experiment=cifar10_msdeblur_wgan").model.network.blocks == 19
    assert composed("experiment=cifar10_rednet30_wgan").model.network.tanh


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_averaged_weights_and_clipping_are_options(call: Call, tmp_path: Path, precision: str) -> None:
    """Two steps of plain gradient descent at a rate of 1 move the weights by no more than twice the limit."""
    call(
        "train",
        "callbacks=[default,ema]",
        "trainer.gradient_clip_val=1e-4",
        "model.optimizer={_target_: torch.optim.SGD, _partial_: true, lr: 1.0, fused: true}",
        f"trainer.precision={precision}",
        "trainer=cpu",
        "trainer.max_epochs=1",
        "trainer.limit_train_batches=2",
        "trainer.limit_val_batches=1",
        "trainer.limit_test_batches=1",
        "model.network.widths=[4,8]",
        "run=run",
    )
    checkpoint = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    torch.manual_seed(0)
    start, end = UNet16(widths=[4, 8]).state_dict(), checkpoint["current_model_state"]
    moved = sum(float((end[f"network.{name}"] - weight).square().sum()) for name, weight in start.items()) ** 0.5
    assert 1e-4 < moved <= 2.001e-4
    averaged = checkpoint["state_dict"]
    assert any(not torch.equal(averaged[name], weight) for name, weight in end.items() if name in averaged)


def test_a_users_own_configurations_overlay_ours(call: Call, tmp_path: Path) -> None:
    own = tmp_path / "own" / "experiment"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("# @package _global_\nmodel:\n  network:\n    widths: [4, 8]\nseed: 7\n")
    call("train", "--config-dir", str(tmp_path / "own"), "experiment=mine", "trainer.fast_dev_run=true", "run=run")
    saved = OmegaConf.load(tmp_path / "run/.hydra/config.yaml")
    assert (saved.model.network.widths, saved.seed) == ([4, 8], 7)


def test_networks_are_named_by_their_class_path(composed) -> None:
    for name in options("model"):
        network = hydra.utils.instantiate(composed(f"model={name}").model.network)
        assert isinstance(network, nn.Module)
