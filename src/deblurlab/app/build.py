"""From configuration to objects: the only caller of Hydra's ``instantiate``."""

import copy
import ctypes
import platform
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch
from hydra.utils import instantiate
from lightning.pytorch import Callback, LightningDataModule, Trainer
from omegaconf import DictConfig, ListConfig, open_dict
from torch import nn

from deblurlab.app import trusted
from deblurlab.app.sketch import sketch
from deblurlab.backends import xla
from deblurlab.losses import LogCosh
from deblurlab.restoring.restorer import Restorer
from deblurlab.run.checkpoint import AtomicCheckpointIO, fill_task
from deblurlab.run.weights import Weights, fill, require_fit
from deblurlab.tasks import Autoencoder
from deblurlab.tasks.restoration import Restoration

# Lightning warns of these; here they are meant.
_CHOSEN = (
    ".*does not have many workers.*",  # images in memory are loaded in the main process
    ".*Checkpoint directory .* exists and is not empty.*",  # a resumed run goes on in its folder
    ".*is smaller than the logging interval.*",  # the epoch's mean is logged anyway
)


def data(cfg: DictConfig) -> LightningDataModule:
    """The data module of ``cfg.data``."""
    _require_class(cfg, "data")
    module: LightningDataModule = instantiate(cfg.data, _convert_="all")
    return module


def task(cfg: DictConfig) -> Restoration:
    """The task of ``cfg.model``, its network included, as it is before any training."""
    _require_class(cfg, "model")
    model = copy.copy(cfg.model)
    with open_dict(model):
        model.pop("generator_ckpt", None)  # the training command's
    module: Restoration = instantiate(model, _convert_="all")
    return module


def _require_class(cfg: DictConfig, section: str) -> None:
    if "_target_" not in cfg[section]:
        raise ValueError(f"the configuration is damaged: {section} does not name its class, {section}._target_.")


def trained(config: DictConfig, checkpoint: Path, *, trust: Sequence[str], source: Path) -> Restoration:
    """The task of a run, holding the weights of one of its checkpoints.

    Args:
        config: the run's configuration, which is checked as a whole before any of it is built.
        checkpoint: a file of the run's.
        trust: packages that the configuration may name; with any, the network may be as large as it likes.
        source: the file that the configuration was read from.

    Raises:
        ValueError: if the configuration names what it may not, or the checkpoint is damaged or of another network.
    """
    trusted.check(config, trust=trust, source=str(source))
    state = AtomicCheckpointIO().load_checkpoint(checkpoint)
    if not trust:
        sketch(lambda: task(config), tensors=len(state["state_dict"])).on_load_checkpoint(state)
    module = task(config)
    fill_task(module, state)
    return module


def restorer(weights: Weights, *, trust: Sequence[str] = ()) -> Restorer:
    """The network that weights are of, holding them, ready to restore.

    Args:
        weights: where they come from is checked as a whole before any of it is built.
        trust: packages that their configuration may name; with any, the network may be as large as it likes.

    Raises:
        ValueError: if their configuration names what it may not, or they are of another network than it says.
    """

    def build() -> nn.Module:
        network: nn.Module = instantiate(weights.network, _convert_="all")
        return network

    trusted.check(weights.config, trust=trust, source=str(weights.source))
    if not trust:
        require_fit(sketch(build, tensors=len(weights.shapes)), weights)
    network = build()
    fill(network, weights)
    return Restorer(network).eval().requires_grad_(False)


def device(cfg: DictConfig) -> torch.device:
    """The device of ``cfg.trainer``, for one network without a trainer: a single core of a TPU.

    Raises:
        ValueError: if this machine has none of that kind.
    """
    xla.quiet()
    accelerator = cfg.trainer.accelerator
    if accelerator == "auto" and xla.tpu_found():
        accelerator = "tpu"
    if accelerator in get_args(xla.Client):
        return xla.one_device(accelerator)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    wanted = {"auto": ("cuda", "mps", "cpu"), "gpu": ("cuda", "mps")}.get(accelerator, (accelerator,))
    for kind in wanted:
        if there.get(kind):
            return torch.device(kind)
    raise ValueError(f"trainer.accelerator={accelerator}: this machine has no such device.")


def scored(restorer: Restorer) -> Restoration:
    """A task that scores a trained network by the study's loss; it is not there to be trained."""
    return Autoencoder(network=restorer, loss=LogCosh(), optimizer=partial(torch.optim.Adam))


def trainer(cfg: DictConfig, *callbacks: Callback) -> Trainer:
    """The trainer of ``cfg.trainer`` with the callbacks and loggers of their groups, and further callbacks."""
    for pattern in _CHOSEN:
        warnings.filterwarnings("ignore", pattern)
    xla.quiet()
    settings = copy.copy(cfg.trainer)
    with open_dict(settings):
        graph = settings.pop("graph", "batch")
    if graph not in ("batch", "step"):
        raise ValueError(f"trainer.graph must be batch or step, got {graph}.")
    if not isinstance(settings.max_epochs, int):
        raise ValueError(f"trainer.max_epochs must be a whole number, got {settings.max_epochs}.")
    if settings.accelerator == "auto" and xla.tpu_found():
        settings.accelerator, settings.devices = "tpu", "auto"
    on_xla = settings.accelerator in get_args(xla.Client)
    device = _all_cores(settings, run_each_step=graph == "step") if on_xla else _one_device(settings)
    module: Trainer = instantiate(
        settings,
        callbacks=[*_listed(cfg.get("callbacks")), *callbacks, *(xla.watchers() if on_xla else ())],
        logger=_listed(cfg.get("logger")) or False,
        enable_progress_bar=False,
        **device,
        _convert_="all",
    )
    if module.strategy.root_device.type == "cpu":
        _keep_freed_memory()
    return module


def _all_cores(settings: DictConfig, *, run_each_step: bool) -> dict[str, Any]:
    """What a trainer on XLA needs; ``settings`` leave the rest to it."""
    if settings.precision not in ("auto", "bf16-mixed", "32-true"):
        raise ValueError(f"trainer.precision must be auto, bf16-mixed or 32-true on XLA, got {settings.precision}.")
    strategy = xla.data_parallel(
        settings.accelerator,
        devices=settings.devices,
        bfloat16=settings.precision != "32-true",
        run_each_step=run_each_step,
    )
    settings.accelerator, settings.devices, settings.precision = "auto", 1, None
    return {"strategy": strategy}


def _one_device(settings: DictConfig) -> dict[str, Any]:
    """What a trainer on one CPU or GPU needs, its precision chosen in ``settings``."""
    chosen = settings.devices
    if chosen not in (1, "1", "auto") and not (isinstance(chosen, ListConfig) and len(chosen) == 1):
        raise ValueError(f"trainer.devices={chosen}: a run takes one CPU or GPU; trainer=tpu takes all cores.")
    settings.devices = 1 if chosen == "auto" else chosen
    if settings.accelerator == "gpu" and not (torch.cuda.is_available() or torch.backends.mps.is_available()):
        raise ValueError("trainer=gpu: PyTorch finds no GPU here. trainer=auto takes the best device there is.")
    if settings.get("precision") == "auto":
        settings.precision = fast_precision(settings.accelerator)
    return {"plugins": [AtomicCheckpointIO()]}


def _keep_freed_memory() -> None:
    """Have glibc's malloc keep what is freed: each step would get it again, and the system clear every page anew."""
    if platform.libc_ver()[0] != "glibc":
        return
    trim_threshold, mmap_max = -1, -4  # their numbers in malloc.h
    malloc = ctypes.CDLL(None)
    malloc.mallopt(mmap_max, 0)  # no block is so large that it is mapped, and unmapped, by itself
    malloc.mallopt(trim_threshold, -1)  # nor does the heap shrink


def _listed(group: DictConfig | None) -> list[Any]:
    return [instantiate(entry, _convert_="all") for entry in (group.values() if group else ()) if entry is not None]


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
