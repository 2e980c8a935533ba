"""Lightning's checkpoints, written completely or not at all, and read as tensors and plain values only."""

import logging
import os
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
from typing_extensions import override

from deblurlab.files.whole_file import whole_file
from deblurlab.run.checkpoint_content import relocated, require_names, require_numbers
from deblurlab.run.checksum import require_whole_archive

log = logging.getLogger(__name__)


def best_checkpoint(trainer: Trainer) -> ModelCheckpoint | None:
    """The callback that keeps the best weights; None if there is none or it has not saved any yet."""
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.monitor and callback.best_model_path:
            return callback
    return None


def load_weights(task: LightningModule, file: Path) -> None:
    """Load the weights of a checkpoint into ``task``.

    Raises:
        ValueError: If the file is damaged or of another network.
    """
    fill_task(task, AtomicCheckpointIO().load_checkpoint(file))


def fill_task(task: LightningModule, checkpoint: dict[str, Any]) -> None:
    """Load the weights of a checkpoint that has already been read into ``task``.

    Raises:
        ValueError: If they are of another network.
    """
    task.on_load_checkpoint(checkpoint)
    task.load_state_dict(checkpoint["state_dict"])


@contextmanager
def restoring(file: Path | None) -> Iterator[None]:
    """Turn an error of Lightning while it restores the state in ``file`` into a ValueError of one line.

    Args:
        file: The checkpoint that the training in this block resumes from; None if it starts from the beginning.
    """
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, AssertionError) as error:
        frames = traceback.extract_tb(error.__traceback__)
        if file is None or not any(frame.filename == checkpoint_connector.__file__ for frame in frames):
            raise
        if isinstance(error, ValueError):
            raise ValueError(str(error) if str(file) in str(error) else f"{file}: {error}") from error
        raise ValueError(
            f"{file} cannot be resumed: what it holds is not the state of such a run ({_reason(error)})."
        ) from error


def _reason(error: Exception) -> str:
    """An error in one line, with its class, without which the text of a KeyError would mean nothing.

    Only the reason is kept of PyTorch's long text about files that it does not trust, which advises to trust them.
    """
    *_, reason = str(error).strip().rpartition("WeightsUnpickler error: ")
    return f"{type(error).__name__}: {reason.splitlines()[0]}" if reason else "it ends early"


def _to_cpu(storage: Any, _: str) -> Any:
    return storage


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint completely or not at all, and reads tensors and plain values only.

    It only removes checkpoints, and only in folders that it has written to.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folders: set[Path] = set()

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Write a checkpoint. An existing file is kept if the new weights are not numbers.

        Raises:
            ValueError: If a weight is NaN.
            OSError: If the file cannot be written.
        """
        for weights in ("state_dict", "current_model_state"):
            require_numbers(checkpoint.get(weights, {}), f"the training, before it writes {path}")
        self._folders.add(Path(path).parent.resolve())
        with whole_file(path) as partial, partial.open("wb") as file:
            torch.save(checkpoint, file)

    @override
    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint. Warn and keep the file if it is not a ``.ckpt`` file in one of this run's folders."""
        file = Path(path)
        if not os.path.lexists(file):
            return
        own = file.parent.resolve() in self._folders
        if not own or file.suffix != ".ckpt" or not (file.is_file() or file.is_symlink()):
            log.warning(f"{path} is not a checkpoint that this run has written; it is not removed")
            return
        file.unlink()

    @override
    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint, to the CPU unless ``map_location`` says otherwise.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is damaged, is not a checkpoint of a run, or a weight is NaN.
        """
        try:
            require_whole_archive(path)
            checkpoint: Any = super().load_checkpoint(path, map_location or _to_cpu, weights_only=True)
        except FileNotFoundError:
            raise
        except Exception as error:  # a damaged pickle can raise any exception
            raise ValueError(f"{path} is not a checkpoint of deblurlab, or is damaged: {_reason(error)}") from error
        if not isinstance(checkpoint, dict) or not {"state_dict", "pytorch-lightning_version"} <= checkpoint.keys():
            raise ValueError(f"{path} is not a checkpoint of deblurlab: it holds no run's state.")
        try:
            require_names(checkpoint)
            checkpoint["callbacks"] = relocated(checkpoint.get("callbacks", {}), Path(path).parent.resolve())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is not a checkpoint of deblurlab, or is damaged: {error}.") from error
        require_numbers(checkpoint["state_dict"], path)
        return checkpoint
