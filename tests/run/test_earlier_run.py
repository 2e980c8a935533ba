"""What deblurlab 0.1.0 wrote, before its modules moved, still loads.

``earlier_run`` is the folder of a run of version 0.1.0: one epoch of 8 batches of
data=sample by UNet16 with widths of 2 and 4.
"""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch

from deblurlab.app import build
from deblurlab.callbacks import History, TimedCheckpoint
from deblurlab.restoring import load_restorer
from deblurlab.run import weights
from deblurlab.run.saved_run import load_run
from deblurlab.tasks.restoration import Restoration
from tests.conftest import Call

EARLIER = Path(__file__).with_name("earlier_run")


def test_the_checkpoint_and_the_weights_file_hold_the_same_network() -> None:
    from_file, from_run = weights.load(str(EARLIER / "weights.safetensors")), weights.load(str(EARLIER))
    images = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    restored = load_restorer(from_file, device="cpu")(images)
    assert restored.std() > 1e-4
    assert torch.equal(restored, load_restorer(from_run, device="cpu")(images))


def test_an_evaluation_gives_the_scores_that_it_wrote(call: Call, tmp_path: Path) -> None:
    run = shutil.copytree(EARLIER, tmp_path / "run")
    call("evaluate", f"run={run}", "trainer=cpu", "trainer.precision=32-true", "trainer.limit_test_batches=2")
    then, now = (
        json.loads(file.read_text())
        for file in (run / "metrics.json", run / "evaluate/sample-limit_test_batches_2/metrics.json")
    )
    for version in ("restored", "blurred"):
        assert now[version] == pytest.approx(then[version], rel=1e-4)


@pytest.mark.parametrize(("chosen", "precision"), [((), "bf16-mixed"), (("trainer.precision=32-true",), "32-true")])
def test_an_evaluation_takes_the_run_s_precision(
    chosen: tuple[str, ...], precision: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(EARLIER, tmp_path / "run")
    config = run / ".hydra/config.yaml"
    config.write_text(config.read_text().replace("precision: 32-true", "precision: bf16-mixed"))
    call("evaluate", f"run={run}", "trainer=cpu", "trainer.limit_test_batches=1", *chosen)
    assert f"sample, test set, 16 of 345 images, {precision}" in capsys.readouterr().out


def test_it_resumes(call: Call, tmp_path: Path) -> None:
    run = shutil.copytree(EARLIER, tmp_path / "run")
    limits = [f"trainer.limit_{stage}_batches={count}" for stage, count in (("train", 8), ("val", 1), ("test", 2))]
    settings = [
        "data=sample",
        "data.batch_size=16",
        "model.network.widths=[2,4]",
        "model.network.residual=false",  # the default, which the earlier run did not write down
        "logger=none",
        "callbacks.panel=null",
    ]
    call(
        "train",
        *settings,
        "callbacks.panel=null",
        *limits,
        "trainer=cpu",
        "trainer.max_epochs=2",
        f"run={run}",
        "ckpt_path=last",
    )
    with (run / "metrics.csv").open() as file, (EARLIER / "metrics.csv").open() as before:
        rows, (first,) = list(csv.DictReader(file)), csv.DictReader(before)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert rows[0] == first


def test_its_callbacks_can_be_built() -> None:
    """No command does so: evaluate and report build the data and the model of a run, and train builds its own."""
    entries = {name: entry for name, entry in load_run(EARLIER).config.callbacks.items() if entry is not None}
    built = {name: build.instantiated(entry) for name, entry in entries.items()}
    files = {name: callback.file for name, callback in built.items() if isinstance(callback, History | TimedCheckpoint)}
    assert files == {
        "within_epoch": Path("earlier_run/checkpoints/last.ckpt"),
        "history": Path("earlier_run/metrics.csv"),
    }


def test_a_key_that_is_gone_is_read_over(tmp_path: Path) -> None:
    """``model.generator_ckpt`` was the second name of the key ``weights``."""
    run = shutil.copytree(EARLIER, tmp_path / "run")
    config = run / ".hydra/config.yaml"
    config.write_text(config.read_text().replace("  scheduler: null\n", "  scheduler: null\n  generator_ckpt: mine\n"))
    assert "generator_ckpt: mine" in config.read_text()
    assert isinstance(build.task(load_run(run).config), Restoration)
