"""Train a network, test it with its best weights, and print its scores beside those of the blurred images.

Examples:
    deblurlab train                                           # UNet16 on photographs that scikit-image bundles
    deblurlab train experiment=cifar10_unet16                 # a published result
    deblurlab train experiment=cifar10_unet16 ckpt_path=last  # resume after an interruption
    deblurlab train -m model=resnet16,unet16 seed=1,2         # a sweep
"""

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.app.command import command
from deblurlab.app.invocation import choices, chosen_folder, claim_folder, is_sweep
from deblurlab.run.defaults import with_defaults
from deblurlab.run.run_folder import checkpoint_file
from deblurlab.sweeps import run_job

log = logging.getLogger(__name__)


@command("train")
def main(cfg: DictConfig) -> float | None:
    """Fit, test the best weights, write metrics.json; returns the monitored metric's best value."""
    from deblurlab.app import build

    if is_sweep():
        build.refuse_unknown_keys(cfg)  # before the first job rather than in each of them
        return run_job(cfg)
    from lightning.pytorch import seed_everything

    from deblurlab import __version__
    from deblurlab.callbacks import PerImage
    from deblurlab.callbacks.lightning_internals import is_fast_dev_run
    from deblurlab.interfaces import Dashboard, Evaluable
    from deblurlab.run import results, weights
    from deblurlab.run.checkpoint import best_checkpoint, load_weights, restoring
    from deblurlab.run.printed_result import print_result

    chosen, folder = choices(), chosen_folder(cfg)
    seed_everything(cfg.seed, verbose=False)
    per_image = PerImage()
    data, task, trainer = build.data(cfg), build.task(cfg), build.trainer(cfg, per_image)
    if trainer.is_global_zero:
        claim_folder(folder, cfg)
    log.info(
        f"deblurlab {__version__}: {chosen['model']} on {chosen['data']}, {trainer.max_epochs} epochs, "
        f"{trainer.strategy.root_device}, {trainer.precision}"
    )
    log.info(f"run folder: {folder}")

    settings: Any = with_defaults(OmegaConf.to_container(cfg, resolve=True))
    for logger in trainer.loggers:
        logger.log_hyperparams(settings)
    resume = checkpoint_file(cfg.ckpt_path, folder) if cfg.ckpt_path else None
    start = cfg.weights
    if start and resume:
        log.warning(f"resuming from {resume}: what it started from, {start}, is not loaded again")
    elif start:
        loaded, network = weights.load(start), settings["model"]["network"]
        weights.fill(task.network, loaded)
        if not weights.same_network(loaded.network, network):
            log.warning(f"the weights fit, but they were trained in another network: {loaded.network}, not {network}")
    if resume:
        log.info(f"resuming from {resume}")
    with restoring(resume):
        trainer.fit(task, datamodule=data, ckpt_path=resume)
    best = best_checkpoint(trainer)
    if best:
        load_weights(task, Path(best.best_model_path))
        if trainer.is_global_zero:
            weights.extract(Path(best.best_model_path), settings["model"]["network"], folder.weights_file)
    elif not is_fast_dev_run(trainer):
        log.info("no validation has chosen the best weights: the last ones are tested")
    trainer.test(task, datamodule=data, verbose=False)

    if trainer.is_global_zero and per_image.scores:
        assert isinstance(data, Evaluable)
        result = results.summary(trainer.callback_metrics, data=chosen["data"], split="test")
        results.write_per_image(per_image.scores, data.labels("test"), folder.per_image_file)
        results.write(result, folder.scores_file)
        print_result(result, model=chosen["model"])
    if trainer.is_global_zero:
        log.info(f"{folder} holds {', '.join(sorted(entry.name for entry in folder.path.glob('[!.]*')))}")
    for logger in trainer.loggers:
        if isinstance(logger, Dashboard):
            logger.finish()
    return float(best.best_model_score) if best and best.best_model_score is not None else None


if __name__ == "__main__":
    main()
