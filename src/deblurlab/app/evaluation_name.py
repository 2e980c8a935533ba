"""The name of an evaluation: the data set, and the settings by which its result differs from that of a plain test.

It is the name of the folder that ``evaluate`` writes to. A plain result and one with ``tta=true``, for example, thus
have folders of their own, and neither overwrites the other.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError

from deblurlab.app.invocation import choices, from_here, parse_overrides
from deblurlab.run.defaults import comparable
from deblurlab.run.names import CONF
from deblurlab.run.saved_run import Run

# Keys of data sets that leave the test as it is: they are about training, or about where and how the data are read.
_NOT_OF_THE_TEST = {
    *("_target_", "batch_size", "cache", "cache_gib", "crops", "fixed_blur", "layout", "mixed_frames", "on_error"),
    *("pairs_share", "root", "rotations", "seed", "wait_seconds", "workers"),
}
# Keys of the trainer that change the test, beside its precision.
_TRAINER_KEYS = ("fast_dev_run", "float32", "limit_test_batches")
_FULL_PRECISIONS = {"32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed"}  # Lightning takes the short ones, too
_ROOT_CHOOSES = ("folder", "video")  # deblurlab's configurations of which data.root chooses the pictures
_LONGEST_VALUE = 40  # a folder's name has at most 255 bytes


def evaluation_name(data: str, cfg: DictConfig, *, run: Run | None) -> str:
    """The name of an evaluation, such as ``cifar10``, or ``cifar10-tta`` with ``tta=true``.

    Settings with the values of a plain test are left out. A plain test of a run on its own data set has the run's
    values; any other one those of the configuration files.

    Args:
        data: The name of the data set.
        cfg: The configuration of ``evaluate``.
        run: The run that is tested; None for weights and stored pictures.
    """
    return "-".join((data, *_differences(data, cfg, run)))


def usual_precision(run: Run | None) -> str:
    """The precision of a test for which the command line names none: that in which the run was trained, or ``auto``."""
    trained = None if run is None else run.config.trainer.get("precision")
    return str(trained or "auto")


def _differences(data: str, cfg: DictConfig, run: Run | None) -> Iterator[str]:
    if cfg.ckpt_path != "best":
        yield _part("ckpt", Path(str(cfg.ckpt_path)).stem)
    if cfg.window is not None:
        yield _part("window", cfg.window)
    if cfg.tta:
        yield "tta"
    precision = _full(cfg.trainer.precision or usual_precision(run))
    if precision != _full(usual_precision(run)):
        yield _part("precision", precision)
    plain = _plain(cfg)
    for name in _TRAINER_KEYS:
        value = cfg.trainer.get(name)
        if value and str(value) != str(plain.trainer.get(name)):  # as texts, since 1.0 is the whole test, and 1 a batch
            yield _part(name, value)
    own = run is not None and run.data == data
    yield from _differences_of_data(data, cfg, run.config if run is not None and own else plain, own=own)


def _differences_of_data(data: str, cfg: DictConfig, usual: DictConfig, *, own: bool) -> Iterator[str]:
    """The differences of ``cfg.data`` from ``usual.data``; ``own`` says whether these are the settings of the run."""
    now, before = _settings(cfg), _settings(usual)
    if _root_chooses(data) and "root" in now and _place(now) != _place(before):
        yield f"root_{_text(from_here(_place(now)))[-_LONGEST_VALUE:]}"
    changed = [one.key_or_group for one in parse_overrides(HydraConfig.get().overrides.task)]
    names = {key[len("data.") :] for key in changed if key.startswith(("data.", "data/"))}
    if own and "_target_" in cfg.data:  # data=... has been chosen, perhaps without the run's settings
        names |= before.keys() | now.keys()
    for name in sorted(names - _NOT_OF_THE_TEST):
        value, chosen = _value(now, name), choices().get(f"data/{name}")
        if value != _value(before, name) or (not own and chosen is not None):
            yield _part(name, value if chosen is None else chosen)


def _plain(cfg: DictConfig) -> DictConfig:
    """``cfg`` with the files that the command line chooses, but without the values that it sets in data and trainer."""
    settings = HydraConfig.get()
    overrides = parse_overrides([*settings.overrides.hydra, *settings.overrides.task])
    kept = [str(one.input_line) for one in overrides if not one.key_or_group.startswith(("data.", "trainer."))]
    if len(kept) == len(overrides):
        return cfg
    loader = GlobalHydra.instance().config_loader()
    return loader.load_configuration(settings.job.config_name, kept, run_mode=RunMode.RUN)


def _full(precision: object) -> str:
    return _FULL_PRECISIONS.get(str(precision), str(precision))


def _root_chooses(data: str) -> bool:
    """Whether ``data.root`` chooses the pictures. Of any other data set, each folder is a copy of the same ones."""
    return data in _ROOT_CHOOSES or not (CONF / f"data/{data}.yaml").is_file()


def _place(settings: dict[str, Any]) -> Path:
    return Path(os.path.normpath(Path(str(settings.get("root"))).absolute()))


def _settings(cfg: DictConfig) -> dict[str, Any]:
    """The settings of the data, with the defaults of its class."""
    try:
        data = OmegaConf.to_container(cfg.data, resolve=True)
    except InterpolationResolutionError:
        # ${oc.env:...} of a variable that is not set: the command line has given a value instead
        data = OmegaConf.to_container(cfg.data)
    settings: dict[str, Any] = comparable({"data": data})["data"]
    return settings


def _value(settings: Any, name: str) -> Any:
    """The value at a dotted name in nested mappings; None if there is none."""
    for part in name.split("."):
        settings = settings.get(part) if isinstance(settings, dict) else None
    return settings


def _part(name: str, value: object) -> str:
    """A setting as a part of a folder's name: ``whole_pictures``, ``window_384``, ``sigma_range_0_3``."""
    return name if value is True else f"{name}_{_text(value)[:_LONGEST_VALUE]}"


def _text(value: object) -> str:
    return re.sub(r"[^\w.+-]+", "_", "null" if value is None else str(value)).strip("_")
