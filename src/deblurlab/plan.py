"""Estimate what a training step costs on a TPU that you do not have.

Examples:
    deblurlab plan model=rednet30 topology=v2-8
    deblurlab plan experiment=cifar10_rednet30 topology=[v5e-8,v5e-64,v5e-256] json=plan.json
    deblurlab plan model=unet16 data=sample topology=v6e-8 largest_batch=true
"""

from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from deblurlab.app.command import command


@command("plan")
def main(cfg: DictConfig) -> None:
    """Print the table, one column per topology, and write ``json``."""
    from deblurlab.backends import xla
    from deblurlab.files.whole_file import require_writable, write_whole_json
    from deblurlab.planning.chips import topology
    from deblurlab.planning.compiler import require_compiler

    if cfg.json:
        require_writable(Path(cfg.json).parent)  # before minutes of compiling
    require_compiler()  # before torch_xla, which the extra that it asks for includes
    xla.require_torch_xla("plan")
    if cfg.trainer.accelerator != "xla_cpu":
        raise ValueError(f"plan traces on trainer=xla_cpu, not trainer.accelerator={cfg.trainer.accelerator}.")
    if cfg.trainer.graph != "batch" or cfg.model.get("fresh_critic_batches"):
        raise ValueError("plan takes a batch as one graph: trainer.graph=batch model.fresh_critic_batches=false.")
    cfg.callbacks = cfg.logger = None  # an experiment may choose some, but they are not part of a step
    from deblurlab.app.step_estimate import estimate_step, training_images
    from deblurlab.planning.largest_batch import largest_batch
    from deblurlab.planning.table import show

    slices = [topology(name) for name in ([cfg.topology] if isinstance(cfg.topology, str) else cfg.topology)]
    steps = [estimate_step(cfg, one, cfg.batch) for one in slices]
    images = training_images(cfg)
    show(steps, epochs=int(cfg.trainer.max_epochs), images=images)
    if cfg.json:
        plans = [step.as_json() for step in steps]
        write_whole_json(cfg.json, plans[0] if len(plans) == 1 else plans)
    if cfg.largest_batch:
        for one, step in zip(slices, steps, strict=True):
            largest = largest_batch(step, partial(estimate_step, cfg, one), images=images)
            print(f"{one.name}: the largest batch that fits is {largest:,} images per core")


if __name__ == "__main__":
    main()
