"""The names of a run's files: what others rely on, and what the commands really leave."""

import ast
import re
from pathlib import Path

import pytest
import yaml

import deblurlab
from deblurlab.run.run_folder import RunFolder, checkpoint_file, weights_name
from tests.conftest import run_command

SOURCE = Path(deblurlab.__file__).parent
NAMES = {
    "config_file": ".hydra/config.yaml",
    "overrides_file": ".hydra/overrides.yaml",
    "hydra_file": ".hydra/hydra.yaml",
    "lock_file": ".hydra/lock",
    "begun_file": ".hydra/begun",
    "provenance_file": "provenance.json",
    "checkpoints": "checkpoints",
    "best_checkpoint": "checkpoints/best.ckpt",
    "last_checkpoint": "checkpoints/last.ckpt",
    "weights_file": "weights.safetensors",
    "history_file": "metrics.csv",
    "scores_file": "metrics.json",
    "per_image_file": "per_image.csv",
    "curves_picture": "curves.png",
    "panel_picture": "panel.png",
    "log_file": "run.log",
    "diverged_file": "diverged.pt",
    "steps": "steps",
    "wandb_id_file": "wandb/run_id",
    "wandb_rows_file": "wandb/rows.jsonl",
    "job_file": "job.json",
    "failure_file": "failure.txt",
}


def properties() -> set[str]:
    return {name for name, one in vars(RunFolder).items() if isinstance(one, property)} - {"is_run", "holds_run"}


@pytest.mark.parametrize("name", sorted(properties() | set(NAMES)))
def test_others_rely_on_these_names(name: str) -> None:
    assert getattr(RunFolder(Path("outputs/run")), name) == Path("outputs/run") / NAMES[name]


@pytest.mark.slow
def test_the_commands_leave_these_files(tmp_path: Path, tiny_cifar10: Path) -> None:
    small = ("model=unet16", "model.network.widths=[4,8]", "trainer=cpu", "trainer.max_epochs=1")
    data = ("data=cifar10", f"data.root={tiny_cifar10}", "data.batch_size=4")
    done = run_command(tmp_path, "train", *small, *data, "logger=csv", "run=run")
    assert done.returncode == 0, done.stderr
    run = RunFolder(tmp_path / "run")
    unusual = {"diverged_file", "wandb_id_file", "wandb_rows_file", "job_file", "failure_file"}
    expected = {getattr(run, name) for name in properties() - unusual}
    assert {file for file in expected if not file.exists()} <= {run.lock_file}  # some versions of filelock remove it
    left = {path for path in run.path.rglob("*") if path.is_file() and run.steps not in path.parents}
    assert left <= expected

    done = run_command(tmp_path, "evaluate", "run=run", "trainer=cpu")
    assert done.returncode == 0, done.stderr
    evaluation = run.evaluation("cifar10")
    assert run.evaluations() == {"cifar10": evaluation}
    names = {evaluation.scores_file, evaluation.per_image_file, evaluation.panel_picture, evaluation.log_file}
    assert set(evaluation.path.iterdir()) == names


def texts(file: Path) -> list[str]:
    """The texts of a module that are no docstrings."""
    tree = ast.parse(file.read_text())
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents
    ]


def test_no_other_module_spells_them_out() -> None:
    names = {part for name in NAMES.values() for part in name.split("/")} - {"lock", "steps", "wandb", "config.yaml"}
    spelt = re.compile("|".join(rf"(?<![\w.]){re.escape(name)}(?!\w)" for name in names))
    found = {
        (str(file.relative_to(SOURCE)), text)
        for file in SOURCE.rglob("*.py")
        if file != SOURCE / "run/run_folder.py"
        for text in texts(file)
        if spelt.search(text) and " " not in text  # a sentence may say them
    }
    assert found == set()


def test_configurations_name_the_same_checkpoints() -> None:
    """ModelCheckpoint is Lightning's, so that its configuration has to say them."""
    callbacks = yaml.safe_load((SOURCE / "conf/callbacks/default.yaml").read_text())
    run = RunFolder(Path("${run}"))
    for name, file in (("best", run.best_checkpoint), ("last", run.last_checkpoint)):
        assert Path(callbacks[name]["dirpath"]) / f"{callbacks[name]['filename']}.ckpt" == file
    assert callbacks["within_epoch"]["folder"] == "${run}"


def test_best_and_last_are_the_run_s(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.checkpoints.mkdir()
    run.last_checkpoint.touch()
    assert checkpoint_file("last", run) == tmp_path / "checkpoints/last.ckpt"
    assert checkpoint_file(f"{tmp_path}/checkpoints/last.ckpt", RunFolder(Path("elsewhere"))) == run.last_checkpoint
    with pytest.raises(ValueError, match=r"ckpt_path=best: there is no checkpoint .*checkpoints/best\.ckpt"):
        checkpoint_file("best", run)


@pytest.mark.parametrize(
    ("weights", "name"),
    [
        ("outputs/cifar10_unet16/first", "first"),
        ("outputs/first/checkpoints/best.ckpt", "first"),
        ("outputs/first/weights.safetensors", "first"),
        ("mine.safetensors", "mine"),
        ("photographs", "photographs"),
    ],
)
def test_weights_are_called_by_their_run_or_file(weights: str, name: str) -> None:
    assert weights_name(weights) == name


def test_runs_within_a_folder(tmp_path: Path) -> None:
    for name in ("b", "a", "c/d"):
        (tmp_path / name / ".hydra").mkdir(parents=True)
        (tmp_path / name / ".hydra/config.yaml").touch()
    (tmp_path / "file").touch()
    assert [run.path.name for run in RunFolder.within(tmp_path) if run.is_run] == ["a", "b"]
    assert RunFolder.within(tmp_path / "nowhere") == []


def test_a_checkpoint_may_lie_at_the_root_of_the_disk() -> None:
    """As a file that a container has been given. Then no folder is its run's."""
    assert RunFolder.of_checkpoint(Path("/model.ckpt")).path == Path("/")
    assert weights_name("/model.ckpt") == ""
