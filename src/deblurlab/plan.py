"""``python -m deblurlab.plan``: compile the training step for a TPU you do not have, and say what it costs.

Examples:
    python -m deblurlab.plan model=rednet30 topology=v2-8
    python -m deblurlab.plan experiment=cifar10_rednet30 topology=[v5e-8,v5e-64,v5e-256] json=plan.json
    python -m deblurlab.plan model=unet16 data=sample topology=v6e-8 largest_batch=true
"""

import json
import logging
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from rich import box
from rich.console import Console
from rich.table import Table

from deblurlab.app.command import command

if TYPE_CHECKING:
    from deblurlab.planning.chips import Topology
    from deblurlab.planning.estimate import Estimate

log = logging.getLogger(__name__)


@command("plan")
def main(cfg: DictConfig) -> None:
    """Print the table, one column a topology, and write ``json``."""
    from deblurlab.backends import xla
    from deblurlab.planning.chips import topology

    xla.quiet()
    xla.require_torch_xla("plan")
    from deblurlab.planning.compiler import require_compiler

    require_compiler()
    if cfg.trainer.accelerator != "xla_cpu":
        raise ValueError(f"plan traces on trainer=xla_cpu, not trainer.accelerator={cfg.trainer.accelerator}.")
    if cfg.trainer.graph != "batch" or cfg.model.get("fresh_critic_batches"):
        raise ValueError("plan takes a batch as one graph: trainer.graph=batch model.fresh_critic_batches=false.")
    names = [cfg.topology] if isinstance(cfg.topology, str) else list(cfg.topology)
    slices = [topology(name) for name in names]
    steps = []
    for one in slices:
        log.info(f"compiling the step for {one.name}, {cfg.batch} images a core")
        steps.append(alone(cfg, one, cfg.batch))
    epochs, images = int(cfg.trainer.max_epochs), len(_data(cfg, 1).train_dataloader())
    show(steps, epochs=epochs, images=images)
    if cfg.json:
        plans = [step.as_json() for step in steps]
        Path(cfg.json).write_text(json.dumps(plans[0] if len(plans) == 1 else plans, indent=2) + "\n")
    if cfg.largest_batch:
        for one, step in zip(slices, steps, strict=True):
            print(f"{one.name}: the largest batch that fits is {largest_batch(cfg, one, step):,} images a core")


def _data(cfg: DictConfig, batch_size: int) -> Any:
    from deblurlab.app import build

    chosen = cfg.copy()
    OmegaConf.update(chosen, "data.batch_size", batch_size, force_add=True)
    return build.data(chosen)


def estimate(cfg: DictConfig, topology: "Topology", batch: int) -> "Estimate":
    """The step with ``batch`` images a core on every core of ``topology``."""
    from lightning.pytorch import seed_everything

    from deblurlab.app import build
    from deblurlab.backends.xla import trace
    from deblurlab.planning.compiler import compile_for
    from deblurlab.planning.estimate import Estimate

    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # Hydra has not set it in this process
    seed_everything(cfg.seed, verbose=False)
    data = _data(cfg, batch * topology.cores)
    if (images := len(_data(cfg, 1).train_dataloader())) < batch * topology.cores:
        raise ValueError(
            f"{images:,} training images make no batch of {batch} on each of {topology.cores} cores: lower batch, or "
            "choose larger data."
        )
    hlo = trace.training_step(build.trainer(cfg), build.task(cfg), data, trace.serialised)
    return Estimate(topology=topology, cost=compile_for(topology, hlo), batch=batch)


def alone(cfg: DictConfig, topology: "Topology", batch: int) -> "Estimate":
    """:func:`estimate` in a process of its own: a later trace would run what an earlier one has left pending."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(estimate, cfg, topology, batch).result()


def largest_batch(cfg: DictConfig, topology: "Topology", step: "Estimate") -> int:
    """Images a core, from ``step``'s up to the whole training set in multiples of 8.

    Memory grows linearly with the batch: two compilations foretell the answer, further ones make sure of it.
    """
    from deblurlab.planning.compiler import DoesNotFitError

    memory, images = topology.chip.memory, len(_data(cfg, 1).train_dataloader())
    half = alone(cfg, topology, max(1, step.batch // 2))
    slope = (step.cost.memory_bytes - half.cost.memory_bytes) / max(1, step.batch - half.batch)
    batch = int(step.batch + (memory - step.cost.memory_bytes) / slope) if slope > 0 else images
    batch = min(batch, images // topology.cores) // 8 * 8
    while batch > step.batch:
        log.info(f"compiling the step for {topology.name}, {batch} images a core")
        try:
            if alone(cfg, topology, batch).cost.memory_bytes <= memory:
                return batch
        except DoesNotFitError:
            pass
        batch = int(0.95 * batch) // 8 * 8
    return step.batch


def show(steps: "list[Estimate]", *, epochs: int, images: int) -> None:
    """Print the estimates side by side; ``images`` is the training set's size."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("a core and step")
    for step in steps:
        table.add_column(step.topology.name, justify="right")

    def row(title: str, *cells: str) -> None:
        table.add_row(title, *cells)

    row("images", *(f"{step.batch}" for step in steps))
    row("GFLOP", *(f"{step.cost.flops / 1e9:.1f}" for step in steps))
    row("HBM traffic, GB", *(f"{step.cost.hbm_bytes / 1e9:.2f}" for step in steps))
    row(
        "peak memory, MB, of HBM, GB",
        *(f"{s.cost.memory_bytes / 1e6:.0f} of {s.topology.chip.memory / 1e9:.1f}" for s in steps),
    )
    row("all-reduces", *(f"{step.cost.all_reduces}" for step in steps))
    row("all-reduced, MB", *(f"{step.cost.all_reduce_bytes / 1e6:.2f}" for step in steps))
    row("estimated cycles, millions", *(f"{step.cost.cycles / 1e6:.2f}" for step in steps))
    row("on the core, ms", *(f"{step.core_seconds * 1e3:.2f}" for step in steps))
    row("on the wire, ms", *(f"{step.wire_seconds * 1e3:.2f}" for step in steps))
    row("step, ms", *(f"{step.seconds * 1e3:.2f}" for step in steps))
    row("bound by FLOP/s or HBM, ms", *(f"{step.bound_seconds * 1e3:.2f}" for step in steps))
    row("bound / step", *(f"{step.bound_seconds / step.seconds:.2f}" for step in steps))
    table.add_section()
    row("images a second, all cores", *(f"{step.images_per_second:,.0f}" for step in steps))
    row(f"hours for {epochs} epochs", *(f"{epochs * images / s.images_per_second / 3600:.3f}" for s in steps))
    Console().print(table)


if __name__ == "__main__":
    main()
