"""The name of an evaluation: the data set, and the settings by which its result differs from that of a plain test.

It is the name of the folder that ``evaluate`` writes to. A plain result and one with ``tta=true``, for example, thus
have folders of their own, and neither overwrites the other.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from deblurlab.app.invocation import parse_overrides

# Keys of data sets that leave the test as it is: they are about training, or about how the data are read.
_NOT_OF_THE_TEST = {
    *("_target_", "batch_size", "cache", "cache_gib", "crops", "fixed_blur", "mixed_frames", "on_error"),
    *("pairs_share", "root", "rotations", "seed", "workers"),
}
_LONGEST_VALUE = 40  # a folder's name has at most 255 bytes


def evaluation_name(data: str, cfg: DictConfig, *, trained: DictConfig | None) -> str:
    """The name of an evaluation, such as ``cifar10``, or ``cifar10-tta`` with ``tta=true``.

    Args:
        data: The name of the data set.
        cfg: The configuration of ``evaluate``.
        trained: The configuration of the run if it is tested on the data set that it was trained on, None otherwise. A
            key of it with the same value as in ``cfg`` makes no difference.
    """
    return "-".join((data, *_differences(data, cfg, trained)))


def _differences(data: str, cfg: DictConfig, trained: DictConfig | None) -> Iterator[str]:
    if cfg.ckpt_path != "best":
        yield _part("ckpt", Path(str(cfg.ckpt_path)).stem)
    if cfg.window is not None:
        yield _part("window", cfg.window)
    if cfg.tta:
        yield "tta"
    part = cfg.trainer.get("limit_test_batches")
    if part is not None and not (isinstance(part, float) and part == 1):  # 1.0 is all of them, and 1 the first
        yield _part("limit_test_batches", part)
    root = OmegaConf.select(cfg, "data.root")
    if trained is not None and data == "folder" and root is not None:
        name = Path(str(root)).absolute().name
        if name != Path(str(trained.data.root)).absolute().name:  # other pictures, not a copy of the same ones
            yield _part("root", name)
    changed = dict.fromkeys(one.key_or_group for one in parse_overrides(HydraConfig.get().overrides.task))
    for key in sorted(key for key in changed if key.startswith(("data.", "data/"))):
        name = key[len("data.") :]
        value = HydraConfig.get().runtime.choices.get(key) if "/" in key else OmegaConf.select(cfg, key)
        if name in _NOT_OF_THE_TEST or (trained is not None and value == OmegaConf.select(trained, key)):
            continue
        yield _part(name, value)


def _part(name: str, value: object) -> str:
    """A setting as a part of a folder's name: ``whole_pictures``, ``window_384``, ``sigma_range_0_3``."""
    if value is True:
        return name
    text = re.sub(r"[^A-Za-z0-9.+-]+", "_", "null" if value is None else str(value)).strip("_")
    return f"{name}_{text[:_LONGEST_VALUE]}"
