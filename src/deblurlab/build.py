"""From configuration to objects: the only caller of Hydra's ``instantiate``."""

import copy
import warnings
from typing import Any, get_args

import torch
from hydra.utils import instantiate
from lightning.pytorch import Callback, LightningDataModule, Trainer
from omegaconf import DictConfig

from deblurlab import xla
from deblurlab.checkpoint import AtomicCheckpointIO
from deblurlab.tasks.base import Restoration

# Lightning warns of these; here they are meant.
_CHOSEN = (
    ".*does not have many workers.*",  # images in memory are loaded in the main process
    ".*Checkpoint directory .* exists and is not empty.*",  # a resumed run goes on in its folder
    ".*is smaller than the logging interval.*",  # the epoch's mean is logged anyway
)


def data(cfg: DictConfig) -> LightningDataModule:
    """The data module of ``cfg.data``."""
    module: LightningDataModule = instantiate(cfg.data, _convert_="all")
    return module


def task(cfg: DictConfig) -> Restoration:
    """The task of ``cfg.model``, its network included."""
    module: Restoration = instantiate(cfg.model, _convert_="all")
    return module


def trainer(cfg: DictConfig, *callbacks: Callback) -> Trainer:
    """The trainer of ``cfg.trainer`` with the callbacks and loggers of their groups, and further callbacks."""
    for pattern in _CHOSEN:
        warnings.filterwarnings("ignore", pattern)
    xla.quiet()
    settings = copy.copy(cfg.trainer)
    if settings.accelerator == "auto" and xla.tpu_found():
        settings.accelerator, settings.devices = "tpu", "auto"
    device: dict[str, Any] = {"plugins": [AtomicCheckpointIO()]}
    watchers: list[Callback] = []
    if settings.accelerator in get_args(xla.Client):
        bfloat16 = settings.precision in ("auto", "bf16-mixed")
        device = {"strategy": xla.data_parallel(settings.accelerator, devices=settings.devices, bfloat16=bfloat16)}
        settings.accelerator, settings.devices, settings.precision = "auto", 1, None
        watchers = xla.watchers()
    elif settings.get("precision") == "auto":
        settings.precision = fast_precision(settings.accelerator)
    module: Trainer = instantiate(
        settings,
        callbacks=[*_listed(cfg.get("callbacks")), *callbacks, *watchers],
        logger=_listed(cfg.get("logger")) or False,
        enable_progress_bar=False,
        **device,
        _convert_="all",
    )
    return module


def _listed(group: DictConfig | None) -> list[Any]:
    return [instantiate(entry, _convert_="all") for entry in (group.values() if group else ())]


def fast_precision(accelerator: str) -> str:
    """``bf16-mixed`` where the device multiplies bfloat16 faster than float32, else ``32-true``."""
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.get_device_capability() >= (8, 0) else "32-true"
    if accelerator in ("auto", "gpu", "mps") and torch.backends.mps.is_available():
        return "32-true"
    return "bf16-mixed" if _cpu_multiplies_bfloat16() else "32-true"


def _cpu_multiplies_bfloat16() -> bool:
    """Whether oneDNN has bfloat16 instructions here (AVX512-BF16 or AMX); elsewhere it emulates them, slowly."""
    features = torch.backends.cpu.get_cpu_capability()
    return "AVX512" in features and bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
