"""A run that diverges stops, says why, and keeps the batch."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.conftest import Call

FEW = ("trainer.limit_train_batches=4", "trainer.limit_val_batches=1", "trainer.log_every_n_steps=2")


@pytest.mark.parametrize(
    ("model", "rate", "lost"),
    [
        (("model=unet16", "model.network.widths=[4,8]"), "model.optimizer.lr=1e30", "train/loss"),
        (
            ("model=msdeblur_wgan", "model.network.blocks=0", "model.critic_steps=1"),
            "model.critic_optimizer.lr=1e9",
            "train/critic_loss",
        ),
    ],
)
def test_a_diverging_run_stops_and_saves_its_batch(
    model: tuple[str, ...], rate: str, lost: str, call: Call, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        call("train", *model, rate, *FEW, "data.batch_size=2", "trainer=cpu", "trainer.precision=32-true", "run=run")
    message = str(ended.value)
    assert message.startswith("error: training diverged at batch 2 of epoch 1: ")
    assert f"{lost} = " in message
    assert "run/diverged.pt" in message
    assert "Start another run with a lower learning rate" in message  # there are no best weights yet
    saved = torch.load(tmp_path / "run/diverged.pt", weights_only=True)
    assert saved["sharp"].shape == saved["blurred"].shape == (2, 3, 32, 32)
    assert (saved["epoch"], saved["batch"]) == (1, 2)
    assert not 0 < abs(saved["logged"][f"{lost}_step"]) < 1e5


def test_a_loss_lost_since_the_last_look_does_not_reach_the_checkpoint(call: Call, tmp_path: Path) -> None:
    arguments = ("model=unet16", "model.network.widths=[4,8]", "trainer=cpu", "trainer.precision=32-true")
    with pytest.raises(SystemExit, match="diverged at batch 4 of epoch 1"):
        call("train", *arguments, *FEW, "trainer.log_every_n_steps=100", "model.optimizer.lr=1e30", "run=run")
    assert not (tmp_path / "run/checkpoints/last.ckpt").exists()


def test_a_run_that_diverges_late_offers_its_best_weights(call: Call, tmp_path: Path) -> None:
    grows = "model.scheduler={_target_: torch.optim.lr_scheduler.ExponentialLR, _partial_: true, gamma: 1e30}"
    arguments = ("model=unet16", "model.network.widths=[4,8]", "trainer=cpu", "trainer.precision=32-true")
    with pytest.raises(SystemExit, match=r"of epoch 2: .* of this one \('weights=\"my run\"'\)"):
        call("train", *arguments, *FEW, "trainer.max_epochs=2", grows, "run=my run")
    assert (tmp_path / "my run/checkpoints/best.ckpt").exists()


class LostInEvaluation(nn.Conv2d):
    """Its training is sane, and in evaluation mode it gives no numbers."""

    def __init__(self) -> None:
        super().__init__(3, 3, 1)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        return super().forward(blurred) if self.training else blurred * float("nan")


@pytest.mark.parametrize(
    ("callbacks", "said"),
    [
        ((), "the validation of epoch 1 gives val/loss = nan"),
        (("callbacks=none",), "the validation of epoch 1 gives val/loss = nan"),
        (("callbacks=none", "trainer.limit_val_batches=0"), "the test gives loss = nan"),
    ],
)
def test_a_network_that_is_lost_in_evaluation_only_is_reported_as_that(
    callbacks: tuple[str, ...], said: str, call: Call, tmp_path: Path
) -> None:
    network = "model.network={_target_: tests.callbacks.test_divergence.LostInEvaluation}"
    more = ("trainer=cpu", "trainer.max_epochs=1", "trainer.limit_test_batches=1", "logger=none", "run=run")
    with pytest.raises(SystemExit, match=said):
        call("train", "model=unet16", network, *FEW, *more, *callbacks)
    assert not (tmp_path / "run/checkpoints/last.ckpt").exists()


def test_a_sane_run_is_left_alone(call: Call, tmp_path: Path) -> None:
    quick = ("model.network.widths=[4,8]", "trainer.max_epochs=1", "trainer.limit_test_batches=1")
    call("train", "model=unet16", *quick, *FEW, "trainer=cpu", "run=run")
    assert not (tmp_path / "run/diverged.pt").exists()
