"""Every line of docs/recipes.md composes and builds; the slow tests run those that train."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from lightning.pytorch import Trainer

from deblurlab.app import build
from deblurlab.tasks.restoration import Restoration
from tests.composing import configuration
from tests.conftest import Call
from tests.documents import ROOT, blocks

PAGE = ROOT / "docs/recipes.md"
LINES = re.findall(r"^deblurlab (\w+) (.*)$", PAGE.read_text(), re.M)
TRAININGS = [shlex.split(rest) for command, rest in LINES if command == "train" and "rerun=" not in rest]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's own package, importable."""
    (block,) = [one for one in blocks(PAGE) if one.file == "my_package.py"]
    (tmp_path / "my_package.py").write_text(block.text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_package", raising=False)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("overrides", TRAININGS, ids=" ".join)
def test_a_recipe_builds(overrides: list[str]) -> None:
    cfg = configuration("train", "run=run", "logger=none", "trainer=cpu", *overrides)
    assert isinstance(build.task(cfg), Restoration)
    assert isinstance(build.trainer(cfg), Trainer)


@pytest.mark.slow
@pytest.mark.usefixtures("package")
def test_the_recipes_run(call: Call, tmp_path: Path) -> None:
    few = [f"trainer.limit_{stage}_batches=2" for stage in ("train", "val", "test")]
    few += ["trainer=cpu"]
    shallow = ("encoder_blocks=[1]", "middle_blocks=0", "decoder_blocks=[1]")
    for number, overrides in enumerate(TRAININGS):
        small = ["widths=[4,8]"]
        if "model=nafnet" in overrides:
            small = ["width=4", *shallow]
        elif "MyNetwork" in " ".join(overrides):
            small = []
        own = [*few, *(f"model.network.{one}" for one in small)]
        epochs = [] if any(one.startswith("trainer.max_epochs") for one in overrides) else ["trainer.max_epochs=2"]
        call("train", *overrides, *own, *epochs, f"run=run{number}")
        assert (tmp_path / f"run{number}/metrics.json").is_file()
    call("train", "rerun=run0", "run=again", "trainer=cpu")
    kept = [(tmp_path / name / "metrics.json").read_text() for name in ("run0", "again")]
    assert kept[0] == kept[1]
    (evaluation,) = [shlex.split(rest) for command, rest in LINES if command == "evaluate"]
    call("evaluate", *evaluation, "trainer=cpu", "trainer.limit_test_batches=2", "output=scores")
    assert "restored_worst_error" in (tmp_path / "scores/per_image.csv").read_text()
    call("report", "runs=[run0,run1,run2]", "images=1")
    assert (tmp_path / "outputs/report/report.html").is_file()
