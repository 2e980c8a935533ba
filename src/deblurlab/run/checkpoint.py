"""Checkpoints that are either whole or not there, and that execute nothing when read."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from typing_extensions import override


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
    checkpoint = AtomicCheckpointIO().load_checkpoint(file)
    task.on_load_checkpoint(checkpoint)
    task.load_state_dict(checkpoint["state_dict"])


def _to_cpu(storage: Any, _: str) -> Any:
    return storage


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, flushes to the disk, then renames; reads tensors and plain values only."""

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        with partial.open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    @override
    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        try:
            checkpoint: dict[str, Any] = super().load_checkpoint(path, map_location or _to_cpu, weights_only=True)
        except FileNotFoundError:
            raise
        except (RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
            reason = str(error).splitlines()[0] if str(error) else "it ends early"
            raise ValueError(f"{path} is no checkpoint of deblurlab, or is damaged: {reason}") from error
        if not isinstance(checkpoint, dict) or not {"state_dict", "pytorch-lightning_version"} <= checkpoint.keys():
            raise ValueError(f"{path} is no checkpoint of deblurlab: it holds no run's state.")
        _relocate(checkpoint, Path(path).resolve().parent)
        return checkpoint


def _relocate(checkpoint: dict[str, Any], folder: Path) -> None:
    """Let what the checkpoint says of the best and last checkpoints be true of the folder in which it lies now."""

    def moved(file: str) -> str:
        return str(folder / Path(file).name) if file else file

    for state in checkpoint.get("callbacks", {}).values():
        if isinstance(state, dict) and "dirpath" in state:
            state["dirpath"] = str(folder)
            state |= {key: moved(state[key]) for key in state if key.endswith("_path") and isinstance(state[key], str)}
            state["best_k_models"] = {moved(file): score for file, score in state.get("best_k_models", {}).items()}
