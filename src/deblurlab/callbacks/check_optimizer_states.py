"""Refuses a checkpoint with invalid optimizer states. PyTorch accepts any state, and fails in a later step."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer


class CheckOptimizerStates(Callback):
    """Checks the states of the optimizers when a run is resumed.

    Raises:
        ValueError: If a setting is missing or of another type, or a state has another shape, lacks an entry that the
            others have, or does not belong to a weight. The message names the checkpoint.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.ckpt_path is None:
            return
        for number, optimizer in enumerate(trainer.optimizers):
            for oddity in oddities(optimizer):
                raise ValueError(
                    f"{trainer.ckpt_path} cannot be resumed: in the state of optimizer {number}, {oddity}."
                )


def oddities(optimizer: Optimizer) -> Iterator[str]:
    """Yield each difference between an optimizer's state and a valid one, as a clause for a message."""
    for group in optimizer.param_groups:
        for name, usual in optimizer.defaults.items():
            if name not in group:
                yield f"{name} is missing"
            elif not _alike(group[name], usual):
                yield f"{name} is {str(group[name])[:80]}"
        yield from _unlike_others(optimizer, group["params"])
    for parameter, state in optimizer.state.items():
        yield from _odd_state(parameter, state)


def _odd_state(parameter: Any, state: Any) -> Iterator[str]:
    """Yield why ``state`` cannot be that of ``parameter``."""
    if not isinstance(parameter, Tensor):
        yield f"a state is that of {str(parameter)[:80]}, which is not a weight"
        return
    if not isinstance(state, dict):
        yield f"a state is {str(state)[:80]}"
        return
    for name, value in state.items():
        if isinstance(value, Tensor) and value.numel() != 1 and value.shape != parameter.shape:
            yield f"{name} has the shape {tuple(value.shape)}, and its weights have {tuple(parameter.shape)}"


def _unlike_others(optimizer: Optimizer, weights: Sequence[Tensor]) -> Iterator[str]:
    """Yield the entries that only some weights of equal dimensions have. Adafactor's differ between dimensions."""
    names = defaultdict(list)
    for weight in weights:
        if isinstance(state := optimizer.state.get(weight), dict):
            names[weight.dim()].append(set(state))
    for each in names.values():
        if odd := set.union(*each) - set.intersection(*each):
            yield f"{', '.join(sorted(map(str, odd)))} is not in the states of all weights"


def _alike(value: Any, usual: Any) -> bool:
    """Whether a setting has the type of its default value, ``usual``."""
    if usual is None or isinstance(usual, bool):
        return value is None or isinstance(value, bool)
    if isinstance(usual, tuple | list):
        return isinstance(value, tuple | list) and len(value) == len(usual) and all(map(_alike, value, usual))
    if isinstance(usual, int | float | Tensor):
        return (isinstance(value, int | float) and value == value) or (isinstance(value, Tensor) and value.numel() == 1)
    return isinstance(value, type(usual))
