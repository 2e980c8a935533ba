"""What the loggers hold after a run."""

from pathlib import Path

import pytest

from tests.conftest import Call

SHORT = (
    "data=cifar10",
    "data.batch_size=4",
    "trainer=cpu",
    "trainer.max_epochs=2",
    "trainer.limit_train_batches=3",
    "trainer.log_every_n_steps=1",
    "+model.network.widths=[4,8]",
    "run=run",
)


def test_tensorboard_holds_curves_and_panel(call: Call, tmp_path: Path, tiny_cifar10: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    call("train", *SHORT, f"data.root={tiny_cifar10}", "logger=tensorboard")
    events = accumulator.EventAccumulator(str(tmp_path / "run/tensorboard/version_0"))
    events.Reload()
    tags = events.Tags()
    assert "val/panel" in tags["images"]
    assert [event.step for event in events.Scalars("train/loss_step")] == [0, 1, 2, 3, 4, 5]
    assert len(events.Scalars("val/ssim")) == 2


def test_wandb_goes_offline_without_a_key(
    call: Call, tmp_path: Path, tiny_cifar10: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # where a stored key would be
    call("train", *SHORT, f"data.root={tiny_cifar10}", "logger=wandb")
    (stored,) = (tmp_path / "run/wandb").glob("offline-run-*/run-*.wandb")
    assert stored.stat().st_size > 0
    assert list((tmp_path / "run/wandb").glob("offline-run-*/files/media/images/val/panel*.png"))
    assert "wandb sync run/wandb/offline-run-*" in capsys.readouterr().err


def test_csv_holds_each_logged_step(call: Call, tmp_path: Path, tiny_cifar10: Path) -> None:
    call("train", *SHORT, f"data.root={tiny_cifar10}", "logger=csv")
    text = (tmp_path / "run/steps/version_0/metrics.csv").read_text().splitlines()
    column = text[0].split(",").index("train/loss_step")
    assert len([line for line in text[1:] if line.split(",")[column]]) == 6
