"""Compares the settings of a resumed run with its earlier ones: some may change, others may not."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deblurlab.checks.command_line import assignment
from deblurlab.run.defaults import comparable
from deblurlab.run.flat_settings import flat, is_below

log = logging.getLogger(__name__)

# Keys that may change, with all keys below them: where the training runs, for how long, what it writes.
_FREE = (
    *("run", "ckpt_path", "weights", "trust", "search", "name", "rerun", "metrics"),
    *("logger", "trainer", "callbacks"),
)
_FREE_OF_DATA = tuple(f"data.{key}" for key in ("root", "workers", "cache", "cache_gib", "on_error", "whole_pictures"))
# Keys below these that may not change, because they influence the weights.
_FIXED = tuple(
    f"trainer.{key}"
    for key in (
        *("gradient_clip_val", "gradient_clip_algorithm", "accumulate_grad_batches"),
        *("limit_train_batches", "overfit_batches", "plugins", "batch_norm"),
    )
)
_CHANGES_WEIGHTS = ("EMA", "EMAWeightAveraging", "WeightAveraging", "StochasticWeightAveraging")


def tell_changes(before: Mapping[str, Any], now: Mapping[str, Any], *, source: Path, weights: Path) -> None:
    """Log each setting of a resumed run that has changed.

    Args:
        before: The settings that the run was started with: mappings and lists of plain values.
        now: The settings that it is to continue with.
        source: The file from which ``before`` was read, for messages.
        weights: The weights that another run could start from, for messages.

    Raises:
        ValueError: If a setting has changed that a resumed run must keep; the message names it with both values.
    """
    old, new = flat(_comparable(before)), flat(_comparable(now))
    for key in dict.fromkeys((*old, *new)):
        there, here = old.get(key), new.get(key)  # a missing argument has its default, like one that is null
        if there == here or key in ("run", "rerun", "ckpt_path", "trust"):
            continue
        if _must_stay(key, before, now):
            raise ValueError(
                f"{source} has {key}={there}, not {here}: a resumed run keeps the settings that its weights were "
                f"trained with. Leave {key} out, or start another run from these weights: "
                f"{assignment('weights', weights)}."
            )
        log.info(f"changed since the run was started: {key} was {there}, is {here}")


def absolute_root(root: object) -> str:
    """A folder of data as a run's configuration keeps it: a local path is made absolute, a URL stays as it is.

    ``..`` is resolved, so that one folder has one name from wherever a run is started; links keep their names.
    """
    if "://" in str(root):
        return str(root)
    path = Path(str(root)).expanduser().absolute()
    return str(path.resolve() if ".." in path.parts else path)


def _comparable(config: Mapping[str, Any]) -> Any:
    """A configuration with its defaults, in which a local ``data.root`` is an absolute path."""
    whole = comparable(config)
    if root := whole.get("data", {}).get("root"):
        whole["data"]["root"] = absolute_root(root)
    if isinstance(whole.get("trainer"), dict):
        whole["trainer"].setdefault("batch_norm", "global")  # runs of earlier versions do not have this key
    return whole


def _must_stay(key: str, *configs: Mapping[str, Any]) -> bool:
    if is_below(key, _FIXED):
        return True
    if is_below(key, ("callbacks",)):
        return any(_averages(config.get("callbacks"), key.split(".")[1]) for config in configs)
    return not is_below(key, (*_FREE, *_FREE_OF_DATA))


def _averages(callbacks: Any, name: str) -> bool:
    """Whether an entry of the callbacks changes the weights."""
    entry = callbacks.get(name) if isinstance(callbacks, Mapping) else None
    return isinstance(entry, Mapping) and str(entry.get("_target_")).split(".")[-1] in _CHANGES_WEIGHTS
