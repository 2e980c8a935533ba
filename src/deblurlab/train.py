"""``python -m deblurlab.train``: train, test, and print the study's table row.

Examples:
    python -m deblurlab.train                                           # the sample photographs
    python -m deblurlab.train experiment=cifar10_unet16                 # a published result
    python -m deblurlab.train experiment=cifar10_unet16 ckpt_path=last  # go on after an interruption
"""

import logging
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from deblurlab.command import command
from deblurlab.runs import checkpoint_file, chosen_folder, claim

log = logging.getLogger(__name__)


@command("train")
def main(cfg: DictConfig) -> float | None:
    """Fit, test the best weights, write metrics.json; returns the monitored metric's best value."""
    from lightning.pytorch import seed_everything

    from deblurlab import __version__, build, results
    from deblurlab.checkpoint import best_checkpoint, load_weights

    choices, folder = HydraConfig.get().runtime.choices, chosen_folder(cfg)
    seed_everything(cfg.seed, verbose=False)
    data, task, trainer = build.data(cfg), build.task(cfg), build.trainer(cfg)
    if trainer.is_global_zero:
        claim(folder, cfg)
    log.info(
        f"deblurlab {__version__}: {choices['model']} on {choices['data']}, {trainer.max_epochs} epochs, "
        f"{trainer.strategy.root_device}, {trainer.precision}"
    )
    log.info(f"run folder: {folder}")

    resume = checkpoint_file(cfg.ckpt_path, folder) if cfg.ckpt_path else None
    trainer.fit(task, datamodule=data, ckpt_path=resume)
    best = best_checkpoint(trainer)
    if best:
        load_weights(task, Path(best.best_model_path))
    trainer.test(task, datamodule=data, verbose=False)

    result = results.summary(trainer.callback_metrics, data=choices["data"], split="test")
    if trainer.is_global_zero:
        results.write(result, folder / "metrics.json")
        results.show(result, choices["model"])
        log.info(f"{folder} holds curves.png, panel.png, metrics.csv, metrics.json and checkpoints")
    return float(best.best_model_score) if best and best.best_model_score is not None else None


if __name__ == "__main__":
    main()
