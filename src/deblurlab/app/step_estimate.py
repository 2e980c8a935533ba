"""Estimates what a training step costs on a TPU slice: it is traced on this machine and compiled for the slice."""

import logging
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from lightning.pytorch import Callback, LightningDataModule, Trainer, seed_everything
from omegaconf import DictConfig, OmegaConf

from deblurlab.app import build
from deblurlab.app.useful_flops import useful_flops
from deblurlab.interfaces import StandsIn
from deblurlab.planning.chips import Topology
from deblurlab.planning.compiler import compile_for
from deblurlab.planning.estimate import Estimate
from deblurlab.processes.pool_worker import end_with_parent, killed_on_interruption

log = logging.getLogger(__name__)

_COUNTED = 2  # the batch size for counting useful operations: batch normalisation needs two images


def estimate_step(cfg: DictConfig, topology: Topology, batch: int) -> Estimate:
    """Trace and compile the step in a new process: a second trace in one process would execute the pending first one.

    Args:
        cfg: The configuration of ``plan``.
        topology: The slice.
        batch: Images per core, on every core of the slice.

    Raises:
        ValueError: If the training set is smaller than one batch of all cores.
        DoesNotFitError: If a core's memory is too small for the step.
    """
    log.info(f"compiling the step for {topology.name}, {batch} images per core")
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=end_with_parent) as pool,
        killed_on_interruption(),
    ):
        return pool.submit(_estimate_step, cfg, topology, batch).result()


def training_images(cfg: DictConfig) -> int:
    """The number of images in the training set."""
    if _is_away(cfg):
        log.info(f"{cfg.data.root} is not there: blank images, as many as are published, stand in for the data")
    return len(_data(cfg, 1).train_dataloader())


def _is_away(cfg: DictConfig) -> bool:
    """Whether the data's folder does not exist on this machine."""
    root = str(cfg.data.get("root") or "")
    return bool(root) and "://" not in root and not Path(root).expanduser().exists()


def _estimate_step(cfg: DictConfig, topology: Topology, batch: int) -> Estimate:
    from deblurlab.backends.xla import trace

    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # Hydra has not set it in this process
    seed_everything(cfg.seed, verbose=False)
    if (images := training_images(cfg)) < batch * topology.cores:
        raise ValueError(
            f"{images:,} training images make no batch of {batch} on each of {topology.cores} cores: lower batch, or "
            "choose larger data."
        )
    data = _data(cfg, batch * topology.cores)
    hlo = trace.training_step(partial(_trainer, cfg, topology.cores), build.task(cfg), data, trace.serialised)
    # This must follow the trace: if autograd first runs without XLA, it does not know XLA's devices later.
    flops = useful_flops(cfg, _data(cfg, _COUNTED)) / _COUNTED * batch
    return Estimate(topology=topology, cost=compile_for(topology, hlo), batch=batch, useful_flops=flops)


def _trainer(cfg: DictConfig, cores: int, tracer: Callback) -> Trainer:
    """A trainer that traces, on a few virtual devices, the step that will run on ``cores``."""
    from deblurlab.backends.xla.per_core import NormalisePerCore

    trainer = build.trainer(cfg, tracer)
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, NormalisePerCore):
            callback.cores = cores
    return trainer


def _data(cfg: DictConfig, batch_size: int) -> LightningDataModule:
    chosen = cfg.copy()
    OmegaConf.update(chosen, "data.batch_size", batch_size, force_add=True)
    data = build.data(chosen)
    if _is_away(cfg) and isinstance(data, StandsIn):
        data.stand_in()
    return data
