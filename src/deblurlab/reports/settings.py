"""The settings of a run that influence what its network learns, and their wording in labels."""

from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf

from deblurlab.reports.reported_run import ReportedRun
from deblurlab.run.defaults import comparable
from deblurlab.run.flat_settings import flat, is_below

# Keys that do not influence what a run learns, or that differ between seeds anyway.
_INCIDENTAL_KEYS = (
    *("seed", "model.seed", "run", "ckpt_path", "monitor", "search", "name", "rerun", "metrics", "logger"),
    *(f"data.{key}" for key in ("seed", "workers", "cache", "cache_gib", "on_error", "mixed_frames")),
    *(f"trainer.{key}" for key in ("accelerator", "devices", "graph", "float32", "keep_memory")),
    *(f"trainer.{key}" for key in ("default_root_dir", "log_every_n_steps", "enable_checkpointing")),
)
# The settings that come first in a label, with their wording instead of "KEY VALUE".
SPOKEN_KEYS = {
    "trainer.max_epochs": "{} epochs",
    "data.batch_size": "batch {}",
    "model.optimizer.lr": "lr {}",
}


def learning_settings(run: ReportedRun) -> dict[str, Any]:
    """The settings that influenced a run's weights, by their dotted keys, such as ``model.optimizer.lr``."""
    incidental = _INCIDENTAL_KEYS if run.data == "folder" else (*_INCIDENTAL_KEYS, "data.root")
    config: Any = OmegaConf.to_container(run.config)
    every = {"trainer.batch_norm": "global"} | flat(comparable(config))
    return {key: value for key, value in every.items() if not is_below(key, incidental) and _changes_weights(key)}


def spoken(key: str, settings: Mapping[str, Any]) -> str:
    """The wording of a setting in a label: ``lr 0.001``, ``residual``, ``no ema``."""
    name = key.removesuffix("._target_").split(".")[-1].replace("_", " ")
    value = settings.get(key)
    if value is None or value is False:
        return f"no {name}"
    if value is True:
        return name
    words = str(value).split(".")[-1] if key.endswith("_target_") else str(value)
    return "1 epoch" if (key, value) == ("trainer.max_epochs", 1) else SPOKEN_KEYS.get(key, name + " {}").format(words)


def _changes_weights(key: str) -> bool:
    """False for callbacks, except for the moving average of the weights."""
    return not is_below(key, ["callbacks"]) or is_below(key, ["callbacks.ema"])
