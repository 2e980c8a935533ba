"""The settings of a run that change what its network learns, and how a label says them."""

from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import OmegaConf

from deblurlab.reports.reported_run import ReportedRun
from deblurlab.run.defaults import with_defaults

# Keys that do not change what a run learns, or that differ between its seeds anyway.
_INCIDENTAL_KEYS = (
    *("seed", "model.seed", "run", "ckpt_path", "monitor", "search", "name", "rerun", "metrics", "logger"),
    *(f"data.{key}" for key in ("seed", "workers", "cache", "cache_gib", "on_error", "mixed_frames")),
    *(f"trainer.{key}" for key in ("accelerator", "devices", "graph", "keep_memory")),
    *(f"trainer.{key}" for key in ("default_root_dir", "log_every_n_steps", "enable_checkpointing")),
)
# The settings that come first in a label, and what it says instead of "KEY VALUE".
SPOKEN_KEYS = {
    "trainer.max_epochs": "{} epochs",
    "data.batch_size": "batch {}",
    "model.optimizer.lr": "lr {}",
}


def learning_settings(run: ReportedRun) -> dict[str, Any]:
    """What a run was trained with: full keys, such as ``model.optimizer.lr``, to values."""
    incidental = _INCIDENTAL_KEYS if run.data == "folder" else (*_INCIDENTAL_KEYS, "data.root")
    every = {"trainer.batch_norm": "global"} | _flat(with_defaults(OmegaConf.to_container(run.config)))
    return {key: value for key, value in every.items() if not _is_below(key, incidental) and _changes_weights(key)}


def spoken(key: str, settings: Mapping[str, Any]) -> str:
    """A setting as a label says it: ``lr 0.001``, ``residual``, ``no ema``."""
    name = key.removesuffix("._target_").split(".")[-1].replace("_", " ")
    value = settings.get(key)
    if value is None or value is False:
        return f"no {name}"
    if value is True:
        return name
    words = str(value).split(".")[-1] if key.endswith("_target_") else str(value)
    return "1 epoch" if (key, value) == ("trainer.max_epochs", 1) else SPOKEN_KEYS.get(key, name + " {}").format(words)


def _is_below(key: str, parents: Iterable[str]) -> bool:
    return any(key == parent or key.startswith(parent + ".") for parent in parents)


def _changes_weights(key: str) -> bool:
    """False for callbacks, except for the moving average of the weights."""
    return not _is_below(key, ["callbacks"]) or _is_below(key, ["callbacks.ema"])


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {prefix: value}
    return {
        name: leaf for key, inner in value.items() for name, leaf in _flat(inner, f"{prefix}.{key}".lstrip(".")).items()
    }
