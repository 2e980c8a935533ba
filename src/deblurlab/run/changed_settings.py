"""Which settings of a resumed run may change, and which may not."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deblurlab.run.defaults import with_defaults

log = logging.getLogger(__name__)

# A change of what stands below these keys leaves the training what it is: where it runs, for how long, what it writes.
_FREE = (
    *("run", "ckpt_path", "weights", "trust", "search", "name", "rerun", "metrics"),
    *("logger", "trainer", "callbacks"),
)
_FREE_OF_DATA = tuple(f"data.{key}" for key in ("root", "workers", "cache", "cache_gib", "on_error"))
# But these change the weights.
_FIXED = tuple(
    f"trainer.{key}"
    for key in (
        *("gradient_clip_val", "gradient_clip_algorithm", "accumulate_grad_batches"),
        *("limit_train_batches", "overfit_batches", "plugins", "batch_norm"),
    )
)
_CHANGES_WEIGHTS = ("EMA", "EMAWeightAveraging", "WeightAveraging", "StochasticWeightAveraging")


def tell_changes(before: Mapping[str, Any], now: Mapping[str, Any], *, source: Path, weights: Path) -> None:
    """Log each setting that a resumed run has otherwise than before.

    Args:
        before: The settings that the run was started with: mappings and lists of plain values.
        now: The settings that it is to go on with.
        source: The file that ``before`` stands in, for messages.
        weights: What another run could start from.

    Raises:
        ValueError: naming the first setting that a resumed run must keep, with both values.
    """
    old, new = _flat(_comparable(before)), _flat(_comparable(now))
    for key in dict.fromkeys((*old, *new)):
        there, here = old.get(key), new.get(key)  # an argument that is not there has its default, as one that is null
        if there == here or key in ("run", "rerun", "ckpt_path", "trust"):
            continue
        if _must_stay(key, before, now):
            raise ValueError(
                f"{source} has {key}={there}, not {here}: a resumed run keeps the settings that its weights were "
                f"trained with. Leave {key} out, or start another run from these weights: weights={weights}."
            )
        log.info(f"changed since the run was started: {key} was {there}, is {here}")


def _comparable(config: Mapping[str, Any]) -> Any:
    """A configuration with its defaults, and with a folder of data as the path from the root of the file system."""
    whole = with_defaults(dict(config))
    root = whole.get("data", {}).get("root")
    if root and "://" not in str(root):
        whole["data"]["root"] = str(Path(str(root)).expanduser().absolute())
    if isinstance(whole.get("trainer"), dict):
        whole["trainer"].setdefault("batch_norm", "global")  # which runs of before have not named
    return whole


def _must_stay(key: str, *configs: Mapping[str, Any]) -> bool:
    if _below(key, _FIXED):
        return True
    if _below(key, ("callbacks",)):
        return any(_averages(config.get("callbacks"), key.split(".")[1]) for config in configs)
    return not _below(key, (*_FREE, *_FREE_OF_DATA))


def _averages(callbacks: Any, name: str) -> bool:
    """Whether an entry of the callbacks changes the weights."""
    entry = callbacks.get(name) if isinstance(callbacks, Mapping) else None
    return isinstance(entry, Mapping) and str(entry.get("_target_")).split(".")[-1] in _CHANGES_WEIGHTS


def _below(key: str, parents: tuple[str, ...]) -> bool:
    return any(key == parent or key.startswith(parent + ".") for parent in parents)


def _flat(value: Any) -> dict[str, Any]:
    """Whole keys, such as ``model.optimizer.lr``, to their values."""
    return dict(_leaves(value, ()))


def _leaves(value: Any, place: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*place, str(key)))
    elif not isinstance(value, Mapping):
        yield ".".join(place), value
