"""Checkpoints that are either whole or not there, and that execute nothing when read."""

import logging
import os
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.trainer.connectors import checkpoint_connector
from torch import Tensor
from typing_extensions import override

log = logging.getLogger(__name__)


def best_checkpoint(trainer: Trainer) -> ModelCheckpoint | None:
    """The callback that keeps the best weights, if it has kept any."""
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.monitor and callback.best_model_path:
            return callback
    return None


def load_weights(task: LightningModule, file: Path) -> None:
    """Put the weights of a checkpoint into ``task``.

    Raises:
        ValueError: if the file is damaged or of another network.
    """
    fill_task(task, AtomicCheckpointIO().load_checkpoint(file))


def fill_task(task: LightningModule, checkpoint: dict[str, Any]) -> None:
    """Put the weights of a checkpoint that was read into ``task``.

    Raises:
        ValueError: if they are of another network.
    """
    task.on_load_checkpoint(checkpoint)
    task.load_state_dict(checkpoint["state_dict"])


@contextmanager
def restoring(file: Path | None) -> Iterator[None]:
    """Say in one line, as a ValueError, that Lightning cannot take up the state of a run that ``file`` holds."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, AssertionError) as error:
        frames = traceback.extract_tb(error.__traceback__)
        if file is None or not any(frame.filename == checkpoint_connector.__file__ for frame in frames):
            raise
        raise ValueError(
            f"{file} cannot be resumed: what it holds is not the state of such a run ({_reason(error)})."
        ) from error


def _reason(error: Exception) -> str:
    """An error in a line, with its kind: of a KeyError the text alone would be a riddle."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}" if str(error).strip() else "it ends early"


def _to_cpu(storage: Any, _: str) -> Any:
    return storage


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, flushes to the disk, then renames; reads tensors and plain values only.

    It removes nothing but checkpoints in folders that it has written to.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folders: set[Path] = set()

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._folders.add(path.parent.resolve())
        partial = path.with_name(path.name + ".partial")
        with partial.open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    @override
    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint; leave, with a warning, what is no ``.ckpt`` file in a folder of this run's."""
        file = Path(path)
        if not os.path.lexists(file):
            return
        own = file.parent.resolve() in self._folders
        if not own or file.suffix != ".ckpt" or not (file.is_file() or file.is_symlink()):
            log.warning(f"{path} is no checkpoint that this run has written: it is not removed")
            return
        file.unlink()

    @override
    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        try:
            checkpoint: Any = super().load_checkpoint(path, map_location or _to_cpu, weights_only=True)
        except FileNotFoundError:
            raise
        except Exception as error:  # a damaged pickle raises what its bytes happen to spell
            raise ValueError(f"{path} is no checkpoint of deblurlab, or is damaged: {_reason(error)}") from error
        if not isinstance(checkpoint, dict) or not {"state_dict", "pytorch-lightning_version"} <= checkpoint.keys():
            raise ValueError(f"{path} is no checkpoint of deblurlab: it holds no run's state.")
        try:
            _require_names(checkpoint)
            checkpoint["callbacks"] = _relocated(checkpoint.get("callbacks", {}), Path(path).parent.resolve())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is no checkpoint of deblurlab, or is damaged: {error}.") from error
        return checkpoint


def _require_names(checkpoint: dict[Any, Any]) -> None:
    """Raise ValueError unless weights and callbacks are there by name, as Lightning from version 2 on writes them."""
    # Of older versions Lightning makes states of callbacks of other entries, which nobody would have looked at.
    version = str(checkpoint["pytorch-lightning_version"])
    if not re.match(r"[2-9]\.", version):
        raise ValueError(f"it says that Lightning {version[:40]!r} has written it")
    state, callbacks = checkpoint["state_dict"], checkpoint.get("callbacks", {})
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ValueError("its weights have no names")
    if others := [name for name, value in state.items() if not isinstance(value, Tensor)]:
        raise ValueError(f"{others[0][:200]} is no tensor")
    if not isinstance(callbacks, dict) or not all(isinstance(name, str) for name in callbacks):
        raise ValueError("the states of its callbacks have no names")


_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")
_SCORES = ("best_model_score", "kth_value", "current_score")


def _relocated(state: Any, folder: Path) -> Any:
    """The state of callbacks, in which every file that ModelCheckpoint might replace, and so remove, is a checkpoint
    directly in ``folder``: the one of that name, wherever the run lay when it was written.

    Raises:
        ValueError: if a score is no number.
    """
    if type(state) in (list, tuple):
        return type(state)(_relocated(inner, folder) for inner in state)
    if not isinstance(state, dict):
        return state
    moved = {key: _relocated(inner, folder) for key, inner in state.items()}
    if not {*_PATHS, "best_k_models"} & moved.keys():
        return moved
    moved["dirpath"] = str(folder)  # without it, ModelCheckpoint takes the state for one of its own folder
    for key, value in moved.items():
        if isinstance(key, str) and key.endswith("_path"):
            moved[key] = _in(folder, value)
        elif key in _SCORES and value is not None and not _is_score(value):
            raise ValueError(f"{key} is no number")
    models = moved.get("best_k_models", {})
    kept = {_in(folder, file): score for file, score in models.items()} if isinstance(models, dict) else {}
    if not all(_is_score(score) for score in kept.values()):
        raise ValueError("best_k_models holds what is no number")
    kept.pop("", None)
    moved["best_k_models"] = kept
    if moved.get("kth_best_model_path") not in kept:  # of fewer models than are kept, none is the first to go
        moved["kth_best_model_path"] = next(iter(kept), "")
    return moved


def _in(folder: Path, file: Any) -> str:
    """The checkpoint in ``folder`` that has the name of ``file``; empty if that is no checkpoint's name."""
    name = re.split(r"[/\\]", file)[-1] if isinstance(file, str) else ""
    return str(folder / name) if name.endswith(".ckpt") else ""


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
