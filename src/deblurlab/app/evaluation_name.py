"""The name of an evaluation: the data set, and the settings by which its result differs from that of a plain test.

It is the name of the folder that ``evaluate`` writes to. A plain result and one with ``tta=true``, for example, thus
have folders of their own, and neither overwrites the other.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from deblurlab.app.invocation import choices, parse_overrides
from deblurlab.run.defaults import comparable

# Keys of data sets that leave the test as it is: they are about training, or about where and how the data are read.
_NOT_OF_THE_TEST = {
    *("_target_", "batch_size", "cache", "cache_gib", "crops", "fixed_blur", "layout", "mixed_frames", "on_error"),
    *("pairs_share", "root", "rotations", "seed", "wait_seconds", "workers"),
}
_LONGEST_VALUE = 40  # a folder's name has at most 255 bytes


def evaluation_name(data: str, cfg: DictConfig, *, trained: DictConfig | None) -> str:
    """The name of an evaluation, such as ``cifar10``, or ``cifar10-tta`` with ``tta=true``.

    Args:
        data: The name of the data set.
        cfg: The configuration of ``evaluate``.
        trained: The configuration of the run if it is tested on the data set that it was trained on, None otherwise.
            Keys of the data that have the same values as there are left out.
    """
    return "-".join((data, *_differences(data, cfg, trained)))


def _differences(data: str, cfg: DictConfig, trained: DictConfig | None) -> Iterator[str]:
    if cfg.ckpt_path != "best":
        yield _part("ckpt", Path(str(cfg.ckpt_path)).stem)
    if cfg.window is not None:
        yield _part("window", cfg.window)
    if cfg.tta:
        yield "tta"
    if cfg.trainer.get("fast_dev_run"):
        yield _part("fast_dev_run", cfg.trainer.fast_dev_run)
    part = cfg.trainer.get("limit_test_batches")
    if part is not None and not (isinstance(part, float) and part == 1):  # 1.0 is all of them, and 1 the first
        yield _part("limit_test_batches", part)
    changed = {one.key_or_group for one in parse_overrides(HydraConfig.get().overrides.task)}
    now, before = _settings(cfg), {} if trained is None else _settings(trained)
    if data == "folder" and "root" in now:
        name, usual = (Path(str(one.get("root"))).absolute().name for one in (now, before))
        # a folder of the same name is taken for a copy of the run's own
        if "data.root" in changed if trained is None else name != usual:
            yield _part("root", name)
    names = {key[len("data.") :] for key in changed if key.startswith(("data.", "data/"))}
    if trained is not None and "_target_" in cfg.data:  # data=... has been chosen, perhaps without the run's settings
        names |= before.keys() | now.keys()
    for name in sorted(names - _NOT_OF_THE_TEST):
        value = _value(now, name)
        if trained is None or value != _value(before, name):
            yield _part(name, choices().get(f"data/{name}", value))


def _settings(cfg: DictConfig) -> dict[str, Any]:
    """The settings of the data, with the defaults of its class."""
    settings: dict[str, Any] = comparable({"data": OmegaConf.to_container(cfg.data, resolve=True)})["data"]
    return settings


def _value(settings: Any, name: str) -> Any:
    """The value at a dotted name in nested mappings; None if there is none."""
    for part in name.split("."):
        settings = settings.get(part) if isinstance(settings, dict) else None
    return settings


def _part(name: str, value: object) -> str:
    """A setting as a part of a folder's name: ``whole_pictures``, ``window_384``, ``sigma_range_0_3``."""
    if value is True:
        return name
    text = re.sub(r"[^\w.+-]+", "_", "null" if value is None else str(value)).strip("_")
    return f"{name}_{text[:_LONGEST_VALUE]}"
