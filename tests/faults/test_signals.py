"""A training that is asked to end in validation, in a save or in its test goes on to the same end."""

import signal
from pathlib import Path

import pytest

from tests.conftest import run_command
from tests.faults.resume_points import UNET, WGAN, differences, end_of

SHORT = (
    *("data=cifar10", "data.batch_size=8", "trainer=cpu", "trainer.precision=32-true", "trainer.max_epochs=2"),
    *("trainer.limit_train_batches=3", "logger=none", "callbacks.panel=null"),
)


@pytest.mark.slow
@pytest.mark.parametrize("model", [UNET, WGAN], ids=["autoencoder", "WGAN"])
def test_a_run_that_is_asked_to_end_outside_of_its_batches_goes_on(
    model: tuple[str, ...], tmp_path: Path, tiny_cifar10: Path
) -> None:
    arguments = (*SHORT, *model, f"data.root={tiny_cifar10}")
    whole = run_command(tmp_path, "train", *arguments, "run=whole")
    assert whole.returncode == 0, whole.stderr
    for hook in ("on_validation_batch_end", "on_save_checkpoint", "on_test_batch_end"):
        number = signal.SIGINT if hook == "on_save_checkpoint" else signal.SIGTERM
        end = f"+callbacks.end={{_target_: tests.faults.SignalIn, hook: {hook}, number: {int(number)}, folder: {hook}}}"
        asked = run_command(tmp_path, "train", *arguments, f"run={hook}", end)
        assert asked.returncode == 128 + number, (hook, asked.stderr)
        assert "Traceback" not in asked.stderr
        told = f"run={hook} ckpt_path=last trust=[tests] continues from the last checkpoint."
        assert asked.stderr.splitlines()[-1].endswith(told)
        again = run_command(tmp_path, "train", *arguments, end, f"run={hook}", "ckpt_path=last")
        assert again.returncode == 0, (hook, again.stderr)
        assert not differences(end_of(tmp_path / "whole"), end_of(tmp_path / hook)), hook
