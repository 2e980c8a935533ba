"""A new score costs two files: the one with its function, and its row in the table of scores."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import deblurlab
from tests.conftest import HANG_SECONDS, ROOT

pytestmark = pytest.mark.slow

FUNCTION = '''
from torch import Tensor


def worst_pixel(restored: Tensor, sharp: Tensor) -> Tensor:
    """The largest absolute error of each image."""
    return (restored - sharp).abs().flatten(1).amax(dim=1)
'''
ROW = 'Score(name="worst", title="Worst", digits=5, best="min", function="deblurlab.metrics.worst_pixel.worst_pixel"),'

# Stands in for a user at the terminal; in one process, as starting PyTorch takes longer than these tiny runs.
SESSION = """
import importlib, shlex, sys
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
import deblurlab
assert Path(deblurlab.__file__).is_relative_to(Path.cwd()), deblurlab.__file__
for line in Path("commands").read_text().splitlines():
    sys.argv = shlex.split(line)
    importlib.import_module("deblurlab." + sys.argv[0]).main()
    HydraConfig.instance().cfg = None
from deblurlab.sweeps import Summary
end_of_sweep = Summary()
end_of_sweep.folder = Path("runs")
end_of_sweep.on_multirun_end(None)
"""


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, tiny_cifar10: Path) -> Path:
    """Train, evaluate and report with a copy of the package that has one more score, beside a run from before it."""
    folder = tmp_path_factory.mktemp("new_score")
    package = shutil.copytree(Path(deblurlab.__file__).parent, folder / "deblurlab")
    (package / "metrics/worst_pixel.py").write_text(FUNCTION)
    table = package / "metrics/scores.py"
    before = table.read_text()
    table.write_text(re.sub(r"^SCORES = \((.*?)^\)", rf"SCORES = (\1    {ROW}\n)", before, flags=re.M | re.S))
    assert ROW in table.read_text()
    earlier = shutil.copytree(ROOT / "tests/run/earlier_run", folder / "runs/earlier")
    job = {"monitor": "val/worst", "swept": {"seed": "1"}, "overrides": [], "status": "finished"}
    (earlier / "job.json").write_text(json.dumps(job))
    (folder / "runs/later").mkdir()
    (folder / "runs/later/job.json").write_text(json.dumps(job | {"swept": {"lr": "2"}}))
    run = f"data=cifar10 data.root={tiny_cifar10} data.batch_size=4 model=unet16 model.network.widths=[2,4]"
    (folder / "commands").write_text(
        f"train {run} trainer=cpu trainer.precision=32-true trainer.max_epochs=2 monitor=val/worst run=runs/later\n"
        "evaluate run=runs/later trainer.precision=32-true output=evaluated\n"
        "report runs=runs output=report\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", SESSION],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    return folder


def test_it_is_logged_and_chooses_the_best_checkpoint(session: Path) -> None:
    values = [float(row["val/worst"]) for row in rows(session / "runs/later/metrics.csv")]
    assert all(0 < value <= 1 for value in values)
    best = float(rows(session / "runs/summary.csv")[0]["best val/worst"])
    assert best == min(values)


def test_it_is_in_the_files_of_a_test_and_in_the_printed_table(session: Path) -> None:
    for result, per_image in (
        ("runs/later/metrics.json", "runs/later/per_image.csv"),
        ("evaluated/metrics.json", "evaluated/per_image.csv"),
    ):
        scores = json.loads((session / result).read_text())
        images = rows(session / per_image)
        for version in ("restored", "blurred"):
            mean = sum(float(row[f"{version}_worst"]) for row in images) / len(images)
            assert scores[version]["worst"] == pytest.approx(mean, rel=1e-5)
    printed = (session / "stdout").read_text()
    assert re.search(r"Loss \[1e-4\] .* MAE \[1e-2\] +Worst *\n", printed)
    assert re.search(rf"^ *unet16 .* {scores['restored']['worst']:.5f} *$", printed, re.M)


def test_it_is_in_the_reports_table_and_a_run_from_before_leaves_a_gap(session: Path) -> None:
    report = (session / "report/report.md").read_text()
    worst = json.loads((session / "runs/later/metrics.json").read_text())["restored"]["worst"]
    assert report.count("| MAE \\[1e-2\\] | Worst |") == 2  # of CIFAR-10 and of the photographs
    later, earlier = (
        report.split(f"\n## {title}\n")[1].split("\n## ")[0] for title in ("CIFAR-10", "Sample photographs")
    )
    assert f" {worst:.5f} † |\n" in later
    ours = [line for line in earlier.splitlines() if line.startswith(("| UNet16 (finished", "| blurred input"))]
    assert [line.split(" | ")[-1] for line in ours] == ["*–* |"] * 2


def test_it_is_in_the_summary_of_a_sweep_and_a_run_from_before_leaves_a_gap(session: Path) -> None:
    later, earlier = rows(session / "runs/summary.csv")
    worst = json.loads((session / "runs/later/metrics.json").read_text())["restored"]["worst"]
    assert (later["run"], float(later["test/worst"]), float(later["test/worst mean"])) == ("later", worst, worst)
    assert (earlier["run"], earlier["test/worst"], earlier["test/worst mean"]) == ("earlier", "", "")
    assert float(earlier["test/mae"]) > 0
