"""Checks of a checkpoint that a stranger may have made: names, tensors, and no path outside its own folder."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")
_SCORES = ("best_model_score", "kth_value", "current_score")


def require_names(checkpoint: dict[Any, Any]) -> None:
    """Check that weights and callbacks have names, as in checkpoints of Lightning 2 and later.

    Raises:
        ValueError: If they do not.
    """
    # Lightning converts other entries of an older checkpoint to states of callbacks, and these would not be checked.
    version = str(checkpoint["pytorch-lightning_version"])
    if not re.match(r"[2-9]\.", version):
        raise ValueError(f"it says that Lightning {version[:40]!r} has written it")
    state, callbacks = checkpoint["state_dict"], checkpoint.get("callbacks", {})
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ValueError("its weights have no names")
    if others := [name for name, value in state.items() if not isinstance(value, Tensor)]:
        raise ValueError(f"{others[0][:200]} is not a tensor")
    if not isinstance(callbacks, dict) or not all(isinstance(name, str) for name in callbacks):
        raise ValueError("the states of its callbacks have no names")


def require_numbers(weights: Mapping[str, Tensor], source: object) -> None:
    """Check that no weight is NaN, as all are after a training that diverged.

    Args:
        weights: Parameters and buffers by name.
        source: The file or the training that they come from, for the message.

    Raises:
        ValueError: If one is; the message names the source and the first such tensor.
    """
    for name, value in weights.items():
        if value.is_floating_point() and bool(value.isnan().any()):
            raise ValueError(
                f"{source}: its weights are not numbers (NaN), first {name[:200]}. Take those of another epoch or run."
            )


def relocated(state: Any, folder: Path) -> Any:
    """Rewrite the paths in the states of callbacks to the folder that the checkpoint is in now.

    The run may have been moved. Also, ModelCheckpoint deletes files that its state names: with the new paths, these can
    only be checkpoints directly in ``folder``.

    Args:
        state: The states of all callbacks, or a part of one.
        folder: The folder of the checkpoint.

    Returns:
        A copy of ``state`` with the new paths.

    Raises:
        ValueError: If a score is not a number.
    """
    if type(state) in (list, tuple):
        return type(state)(relocated(inner, folder) for inner in state)
    if not isinstance(state, dict):
        return state
    moved = {key: relocated(inner, folder) for key, inner in state.items()}
    return _checkpoints_in(folder, moved) if {*_PATHS, "best_k_models"} & moved.keys() else moved


def _checkpoints_in(folder: Path, state: dict[Any, Any]) -> dict[Any, Any]:
    """The state of a ModelCheckpoint whose checkpoints are in ``folder``."""
    for key in _SCORES:
        if (score := state.get(key)) is not None and not _is_score(score):
            raise ValueError(f"{key} is not a number")
    models = state.get("best_k_models")
    scores = {_in(folder, file): score for file, score in models.items()} if isinstance(models, dict) else {}
    if not all(map(_is_score, scores.values())):
        raise ValueError("best_k_models holds what is not a number")
    kept = {file: score for file, score in scores.items() if file}
    paths = {key: _in(folder, file) for key, file in state.items() if isinstance(key, str) and key.endswith("_path")}
    if paths.get("kth_best_model_path") not in kept:  # the file to delete first must be one that is kept
        paths["kth_best_model_path"] = next(iter(kept), "")
    # If "dirpath" were missing, ModelCheckpoint would assume its own folder.
    return {**state, **paths, "dirpath": str(folder), "best_k_models": kept}


def _in(folder: Path, file: Any) -> str:
    """The path in ``folder`` with the name of ``file``; "" if that is not the name of a checkpoint."""
    name = re.split(r"[/\\]", file)[-1] if isinstance(file, str) else ""
    return str(folder / name) if name.endswith(".ckpt") else ""


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
