"""A refused command leaves no folder, and takes none away that was there before."""

import shutil
from pathlib import Path

import pytest

from deblurlab.app.made_folders import made_for, remove_empty
from deblurlab.data import Folder
from tests.conftest import Call, run_command
from tests.pictures import write_pictures

PHOTOGRAPHS = ("data=folder", "data.root=photographs", "data.patch=[16,32]", "data.batch_size=2", "data.shake_max=5")
TINY = ("model.network.widths=[4,8]", "trainer=cpu", "trainer.max_epochs=1", "logger=none")


def content(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_only_what_was_made_and_is_empty_is_removed(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    made_for(tmp_path / "before/a/b")
    made_for(tmp_path / "before/c/d")
    for folder in ("a/b", "c/d"):
        (tmp_path / "before" / folder).mkdir(parents=True)
    (tmp_path / "before/c/file").touch()
    remove_empty()
    assert content(tmp_path) == {"before", "before/c", "before/c/file"}
    made_for(tmp_path / "before/c/e")
    remove_empty()
    (tmp_path / "before/c/e").mkdir()
    remove_empty()  # it is not this command that has made it
    assert (tmp_path / "before/c/e").is_dir()


REFUSED = {
    "train": ("train", "data=folder", "data.root=nowhere"),
    "train, settings": ("train", "data.batch_size=0"),
    "train, a folder of one's own": ("train", "data=folder", "data.root=nowhere", "run=kept/a/b"),
    "evaluate": ("evaluate", "weights=cifar10_unet16", "data=folder", "data.root=nowhere", "trainer=cpu"),
    "evaluate, a folder of one's own": ("evaluate", "weights=nonsense", "data=sample", "output=kept/a/b"),
    "prepare": ("prepare", "data=folder", "data.root=nowhere", "check=true"),
    "report": ("report", "runs=nowhere"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_command_leaves_nothing_and_names_no_folder(
    case: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(SystemExit):
        call(*REFUSED[case])
    assert content(tmp_path) == {"kept"}
    assert "outputs" not in capsys.readouterr().err


def test_a_refused_evaluation_leaves_its_run_as_it_was(call: Call, tmp_path: Path) -> None:
    call("train", *TINY, *(f"trainer.limit_{stage}_batches=1" for stage in ("train", "val", "test")), "run=run")
    before = content(tmp_path)
    with pytest.raises(SystemExit, match="there is no folder nowhere"):
        call("evaluate", "run=run", "data=folder", "data.root=nowhere", "trainer.accelerator=cpu")
    assert content(tmp_path) == before


def test_what_prints_the_configuration_makes_no_folder(tmp_path: Path) -> None:
    done = run_command(tmp_path, "train", "--cfg", "job", "--resolve")
    assert "run: outputs/sample_unet16/" in done.stdout, done.stderr
    assert content(tmp_path) == set()


@pytest.mark.parametrize("broken", ["in the first batches", "later"])
def test_a_folder_that_was_named_is_kept(
    broken: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture that breaks the first epoch before there is a checkpoint: what was trained is told, or nothing is."""
    root = write_pictures(tmp_path / "photographs/train", "photographs").parent
    write_pictures(root / "test", "photographs")
    data = [*PHOTOGRAPHS, "data.workers=1", "data.mixed_frames=1"]
    folder = Folder(root=str(root), patch=[16, 32], batch_size=2, workers=1, mixed_frames=1, shake_max=5.0)
    frames = folder.train_dataloader().plan(0).frames.ravel().tolist()
    frame = frames[0 if broken == "in the first batches" else -1]
    file = root / "train" / folder.source("train").name(frame)
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(SystemExit, match="truncated"):
        call("train", *TINY, *data, "run=a/run")
    assert ("run folder: a/run" in capsys.readouterr().err) == (broken == "later") == (tmp_path / "a/run").is_dir()
    if broken == "later":
        assert file.name in (tmp_path / "a/run/run.log").read_text()
    else:
        assert content(tmp_path) == {"photographs", *(f"photographs/{name}" for name in content(root))}


@pytest.mark.slow
def test_a_training_on_two_devices_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    done = run_command(tmp_path, "train", "trainer=cpu", "trainer.devices=2", "data=folder", "data.root=nowhere")
    assert done.returncode == 1
    assert "there is no folder nowhere" in done.stderr
    assert "run folder" not in done.stderr
    assert content(tmp_path) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("train", "data=sample", r'run="a\${b}"'),
        ("report", "runs=runs", r'output="a\${b}"'),
        ("evaluate", "data=sample", r'run="runs/a\${b}"'),
        ("evaluate", "data=sample", "weights=photographs", r'output="a\${b}"'),
    ],
)
def test_a_folder_that_hydra_would_take_for_a_reference_is_refused(
    words: tuple[str, ...], call: Call, tmp_path: Path
) -> None:
    shutil.copytree(Path(__file__).parents[1] / "run/earlier_run", tmp_path / "runs/a${b}")
    with pytest.raises(
        SystemExit, match=r"a\$\{b\}.*: Hydra cannot write to a folder with \$\{ in its path; rename it"
    ):
        call(*words)
    assert not (tmp_path / "a${b}").exists()
