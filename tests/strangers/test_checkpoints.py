"""Checkpoints of strangers: resuming one deletes no file, and odd ones are named in one line."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from deblurlab.run import weights
from deblurlab.run.checkpoint import AtomicCheckpointIO
from tests.conftest import Call
from tests.strangers.conftest import arguments

Changed = Callable[[dict[str, Any]], Any]


def tampered(file: Path, change: Changed) -> None:
    checkpoint = torch.load(file, weights_only=True)
    changed = change(checkpoint)
    torch.save(checkpoint if changed is None else changed, file)


def naming(target: str, *, nested: bool = False, version: str | None = None) -> Changed:
    """Let every state of ModelCheckpoint name ``target`` as the file that the next better one replaces."""

    def change(checkpoint: dict[str, Any]) -> None:
        evil = dict.fromkeys(("best_model_path", "kth_best_model_path", "last_model_path"), target)
        evil |= {"best_k_models": {target: torch.tensor(-9.0)}}
        evil |= {name: torch.tensor(-9.0) for name in ("best_model_score", "kth_value", "current_score")}
        for key in list(checkpoint["callbacks"]):
            if "ModelCheckpoint" in key:
                checkpoint["callbacks"][key] = {**evil, "deeper": [copy.deepcopy(evil)]} if nested else dict(evil)
        if version:
            checkpoint["pytorch-lightning_version"] = version
            checkpoint["checkpoint_callback_best_model_path"] = target
            checkpoint["checkpoint_callback_best"] = torch.tensor(-9.0)

    return change


# A path that only looks as if it were in the run, an absolute one, a relative one, a folder, and fsspec's names
TARGETS = (
    "{run}/checkpoints/../../victim/thesis.ckpt",
    "{victim}/thesis.ckpt",
    "victim/thesis.ckpt",
    "{run}/checkpoints/../../victim",
    "local://{victim}",
    "file://{victim}/thesis.ckpt",
    "{run}/checkpoints/..",
    "..",
)


@pytest.mark.parametrize("target", TARGETS)
def test_a_resumed_run_removes_nothing_that_its_checkpoint_names(
    target: str, run: Path, victim: Path, call: Call, tiny_cifar10: Path
) -> None:
    """A better score comes in the second epoch: the one in the checkpoint is -9."""
    tampered(run / "checkpoints/last.ckpt", naming(target.format(run=run, victim=victim)))
    before = (run / "checkpoints/best.ckpt").read_bytes()
    call("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")
    assert (victim / "thesis.ckpt").read_text() == "years of work"
    assert (run / ".hydra/config.yaml").is_file()
    assert (run / "checkpoints/best.ckpt").read_bytes() != before


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_nor_does_a_new_run(target: str, run: Path, victim: Path, call: Call, tiny_cifar10: Path) -> None:
    stranger = run.with_name("stranger.ckpt")
    (run / "checkpoints/last.ckpt").rename(stranger)
    tampered(stranger, naming(target.format(run=run, victim=victim)))
    old = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    call("train", *arguments(tiny_cifar10, 2), "run=new", f"ckpt_path={stranger}")
    assert (victim / "thesis.ckpt").read_text() == "years of work"
    assert {path: path.read_bytes() for path in old} == old
    assert stranger.is_file()
    assert (run.with_name("new") / "checkpoints/best.ckpt").is_file()


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_a_new_run_leaves_the_old_one_as_it_was(run: Path, call: Call, tiny_cifar10: Path) -> None:
    old = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    call("train", *arguments(tiny_cifar10, 2), "run=new", f"ckpt_path={run}/checkpoints/last.ckpt")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == old


def test_an_entry_of_an_old_lightning_is_no_way_in(run: Path, victim: Path, refused: Any, tiny_cifar10: Path) -> None:
    """Lightning would make a state of ModelCheckpoint of it, after everything was looked at."""
    tampered(run / "checkpoints/last.ckpt", naming(str(victim / "thesis.ckpt"), version="0.9.0"))
    message = refused("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")
    assert "last.ckpt is not a checkpoint of deblurlab, or is damaged: it says that Lightning '0.9.0'" in message


def paths(state: Any) -> Iterator[str]:
    """Every text in a state that could be a path, keys included."""
    if isinstance(state, dict):
        for key, value in state.items():
            yield from (key,) if "/" in str(key) or "\\" in str(key) else ()
            yield from paths(value)
    elif isinstance(state, list | tuple):
        for value in state:
            yield from paths(value)
    elif isinstance(state, str) and state:
        yield state


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("target", [*TARGETS, "C:\\victim\\thesis.ckpt", "a.ckpt/../..", 7, None, [1]])
def test_all_that_is_taken_from_a_checkpoint_is_in_its_folder(target: Any, nested: bool, run: Path) -> None:
    file = run / "checkpoints/last.ckpt"
    name = target.format(run=run, victim=run) if isinstance(target, str) else target

    def change(checkpoint: dict[str, Any]) -> None:
        naming("x.ckpt", nested=nested)(checkpoint)
        for state in checkpoint["callbacks"].values():
            if "best_model_path" in state:
                state |= {"best_model_path": name, "other_path": name, "last_model_path": name}

    tampered(file, change)
    callbacks = AtomicCheckpointIO().load_checkpoint(file)["callbacks"]
    states = [state for state in callbacks.values() if "best_model_path" in state]
    assert states
    for state in states:
        assert {Path(path).parent for path in paths(state) if path != state["dirpath"]} <= {file.parent}
        assert not {Path(path).name for path in paths(state)} & {"..", "victim"}
        assert state["dirpath"] == str(file.parent)


def test_fewer_models_than_are_kept_stay(run: Path) -> None:
    file = run / "checkpoints/last.ckpt"
    kept = {f"/elsewhere/{name}.ckpt": torch.tensor(score) for name, score in (("a", 0.5), ("b", 0.7))}

    def change(checkpoint: dict[str, Any]) -> None:
        state = next(state for state in checkpoint["callbacks"].values() if "best_k_models" in state)
        state |= {"best_k_models": kept, "kth_best_model_path": "", "best_model_path": "/elsewhere/b.ckpt"}

    tampered(file, change)
    state = next(
        state for state in AtomicCheckpointIO().load_checkpoint(file)["callbacks"].values() if "best_k_models" in state
    )
    assert state["best_k_models"] == {str(file.parent / Path(name).name): score for name, score in kept.items()}
    assert state["best_model_path"] == str(file.parent / "b.ckpt")
    callback = ModelCheckpoint(dirpath=file.parent, monitor="val/ssim", mode="max", save_top_k=3)
    callback.load_state_dict(state)
    assert callback.best_k_models == state["best_k_models"]


def test_only_checkpoints_that_were_written_are_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The second wall, for states that no one has thought of."""
    checkpoints = AtomicCheckpointIO()
    own, other = tmp_path / "run/checkpoints", tmp_path / "other"
    for name in ("best.ckpt", "last.ckpt"):
        checkpoints.save_checkpoint({"x": 1}, own / name)
    (own / "folder.ckpt").mkdir()
    other.mkdir()
    for file in (other / "mine.ckpt", own / "notes.txt"):
        file.write_text("mine")
    for spared in (
        other / "mine.ckpt",
        other,
        own,
        own / "notes.txt",
        own / "folder.ckpt",
        own / "../../other/mine.ckpt",
    ):
        checkpoints.remove_checkpoint(spared)
        assert spared.exists()
        assert "it is not removed" in caplog.text
        caplog.clear()
    checkpoints.remove_checkpoint(f"local://{other}")
    assert (other / "mine.ckpt").exists()
    checkpoints.remove_checkpoint(own / "best.ckpt")
    assert sorted(file.name for file in own.iterdir()) == ["folder.ckpt", "last.ckpt", "notes.txt"]


def test_so_it_is_on_xla(tmp_path: Path) -> None:
    pytest.importorskip("torch_xla", reason="torch_xla is not installed")
    from deblurlab.backends.xla.checkpoint_io import AtomicXLACheckpointIO

    checkpoints = AtomicXLACheckpointIO()
    (tmp_path / "mine.ckpt").write_text("mine")
    checkpoints.remove_checkpoint(tmp_path / "mine.ckpt")
    assert (tmp_path / "mine.ckpt").exists()


def odd(key: str, value: Any) -> Changed:
    return lambda checkpoint: checkpoint.update({key: value})


ODD: dict[str, Changed] = {
    "a list of weights": odd("state_dict", [1, 2]),
    "weights without names": odd("state_dict", {3: torch.zeros(1)}),
    "weights that are no tensors": odd("state_dict", {"network.x": "y"}),
    "callbacks as a list": odd("callbacks", [1]),
    "callbacks without names": odd("callbacks", {1: {}}),
    "no version": lambda checkpoint: checkpoint.pop("pytorch-lightning_version") and None,
    "a version that is no text": odd("pytorch-lightning_version", [2]),
    "a list": lambda checkpoint: [1, 2],
    "a tensor": lambda checkpoint: torch.zeros(3),
}
ODD_TO_RESUME: dict[str, Changed] = {
    "no loops": odd("loops", {}),
    "loops as a list": odd("loops", [1]),
    "no optimizers": lambda checkpoint: checkpoint.pop("optimizer_states") and None,
    "optimizers as text": odd("optimizer_states", "x"),
    "optimizers of nothing": odd("optimizer_states", [{}]),
    "no schedulers": lambda checkpoint: checkpoint.pop("lr_schedulers", 1) and None,
    "callbacks of text": lambda checkpoint: checkpoint.update(callbacks=dict.fromkeys(checkpoint["callbacks"], "x")),
    "callbacks without keys": lambda checkpoint: checkpoint.update(
        callbacks={key: {"best_model_path": ""} for key in checkpoint["callbacks"]}
    ),
    "scores of text": lambda checkpoint: (
        [state.update(kth_value="x") for state in checkpoint["callbacks"].values()] and None
    ),
}


@pytest.mark.parametrize("change", [*ODD, *ODD_TO_RESUME])
def test_odd_checkpoints_are_not_resumed(change: str, run: Path, refused: Any, tiny_cifar10: Path) -> None:
    tampered(run / "checkpoints/last.ckpt", (ODD | ODD_TO_RESUME)[change])
    message = refused("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")
    assert "run/checkpoints/last.ckpt" in message
    assert "is not a checkpoint of deblurlab" in message or "cannot be resumed" in message


def test_a_checkpoint_without_callbacks_is_resumed(run: Path, call: Call, tiny_cifar10: Path) -> None:
    tampered(run / "checkpoints/last.ckpt", lambda checkpoint: checkpoint.pop("callbacks") and None)
    call("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")


@pytest.mark.parametrize("change", ODD)
def test_odd_checkpoints_are_no_weights(change: str, run: Path) -> None:
    tampered(run / "checkpoints/best.ckpt", ODD[change])
    with pytest.raises(ValueError, match=r"best\.ckpt is not a checkpoint of deblurlab"):
        weights.load(str(run))
