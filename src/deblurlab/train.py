"""Train a network, test it with its best weights, and print its scores beside those of the blurred images.

Examples:
    deblurlab train                                           # UNet16 on photographs that scikit-image bundles
    deblurlab train experiment=cifar10_unet16                 # a published result
    deblurlab train run=FOLDER ckpt_path=last                 # resume after an interruption, with its own settings
    deblurlab train trainer=gpu trainer.devices=4             # on four GPUs, which share each batch
    deblurlab train -m model=resnet16,unet16 seed=1,2         # a sweep
"""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.app.command import command
from deblurlab.app.invocation import chosen_folder, claim_folder, is_sweep
from deblurlab.app.log_file import to_log_file
from deblurlab.app.resume import Start, start_of
from deblurlab.app.several_devices import SWEEP, require_folder, require_one_process, train_in_processes
from deblurlab.checks.words import counted
from deblurlab.processes.rank import quieten, told_already
from deblurlab.run.defaults import with_defaults
from deblurlab.run.run_folder import RunFolder
from deblurlab.sweeps import run_job

if TYPE_CHECKING:
    import torch
    from lightning.pytorch import LightningDataModule, Trainer

    from deblurlab.callbacks import PerImage
    from deblurlab.tasks.restoration import Restoration

log = logging.getLogger(__name__)


@command("train")
def main(cfg: DictConfig) -> float | None:
    """Train, test the best weights and write their scores; returns the monitored score's best value."""
    from deblurlab.app import build

    if is_sweep():
        require_one_process(SWEEP)  # Slurm's launcher may start several for a job
        build.check_groups(cfg)  # before the first job rather than in each of them
        return run_job(cfg)
    from lightning.pytorch import seed_everything

    from deblurlab.callbacks import FirstStep, LeaveOnSignal, PerImage
    from deblurlab.interfaces import Dashboard
    from deblurlab.metrics.further_metrics import further_metrics
    from deblurlab.run.checkpoint import restoring

    require_folder()
    quieten()
    folder, per_image = chosen_folder(cfg), PerImage()
    with told_already():
        start = start_of(cfg, folder)
    cfg = start.config
    if (count := build.processes(cfg)) > 1:
        train_in_processes(count, cfg, folder)
        return None
    seed_everything(cfg.seed, verbose=False)
    data, task = build.data(cfg), build.task(cfg)
    trainer = build.trainer(cfg, per_image, FirstStep(folder), LeaveOnSignal(folder))
    if trainer.limit_train_batches == 0:
        raise ValueError(
            "trainer.limit_train_batches=0 leaves no batch to train on; trainer.max_epochs=0 tests without training."
        )
    if cfg.metrics:  # made before the training, for they may need a download
        task.score_further(further_metrics(cfg.metrics))
    cfg.trainer.precision = trainer.precision  # which one ``auto`` is here, for those who open the run elsewhere
    _begin(task, start, cfg)
    if trainer.is_global_zero:
        claim_folder(folder, cfg, chosen=start.choices)
        _add_provenance(folder, trainer.strategy.root_device)
    settings: Any = with_defaults(OmegaConf.to_container(cfg, resolve=True))
    _announce(trainer, start, settings)

    with restoring(start.checkpoint):
        trainer.fit(task, datamodule=data, ckpt_path=start.checkpoint)
    _tell_early_stop(trainer)
    best = _take_best(task, trainer, folder, settings)
    trainer.test(task, datamodule=data, verbose=False)

    if trainer.is_global_zero:
        if per_image.scores:
            _write_scores(trainer, data, per_image, start, folder)
        log.info(f"{folder} holds {', '.join(sorted(entry.name for entry in folder.path.glob('[!.]*')))}")
    for logger in trainer.loggers:
        if isinstance(logger, Dashboard):
            logger.finish()
    return best


def _add_provenance(folder: RunFolder, device: "torch.device") -> None:
    """Write to the run's folder how, with what and on which device the training has been started."""
    import torch

    from deblurlab.run.provenance import add_start, provenance

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    add_start(folder.provenance_file, provenance(arguments=["deblurlab", "train", *sys.argv[1:]], device=name))


def _announce(trainer: "Trainer", start: Start, settings: dict[str, Any]) -> None:
    """Say what is trained on which device, and give the loggers the whole configuration."""
    from deblurlab import __version__

    log.info(
        f"deblurlab {__version__}: {start.model} on {start.data}, {_epochs(trainer.max_epochs)}, "
        f"{trainer.strategy.root_device}, {trainer.precision}"
    )
    if start.checkpoint is not None:
        log.info(f"resuming from {start.checkpoint}")
        if settings["weights"]:
            log.warning(f"what the run started from, {settings['weights']}, is not loaded again")
    for logger in trainer.loggers:
        logger.log_hyperparams(settings)


def _epochs(most: int | None) -> str:
    return "epochs without end" if most is None or most < 0 else counted(most, "epoch")


def _begin(task: "Restoration", start: Start, cfg: DictConfig) -> None:
    """Load the weights that ``weights`` names, unless a run is resumed. If they do not fit, no run has begun yet."""
    from deblurlab.run import weights

    if cfg.weights and start.checkpoint is None:
        network: Any = OmegaConf.to_container(cfg.model.network, resolve=True)
        weights.start_from(cfg.weights, task.network, network)


def _tell_early_stop(trainer: "Trainer") -> None:
    """Say why a training ended before its last epoch, if a callback ended it."""
    from lightning.pytorch.callbacks import EarlyStopping, Timer

    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, EarlyStopping) and callback.stopping_reason_message:
            log.info(f"stopped early, after epoch {trainer.current_epoch}: {callback.stopping_reason_message}")
        if isinstance(callback, Timer) and (callback.time_remaining() or 1) <= 0:
            log.info(f"stopped after epoch {trainer.current_epoch}: the time of trainer.max_time is over")


def _take_best(task: "Restoration", trainer: "Trainer", folder: RunFolder, settings: dict[str, Any]) -> float | None:
    """Load the weights of the best epoch into ``task`` and write them as a weights file; returns the epoch's score."""
    from deblurlab.callbacks.lightning_internals import is_fast_dev_run
    from deblurlab.run import weights
    from deblurlab.run.checkpoint import best_checkpoint, load_weights

    best = best_checkpoint(trainer)
    if best is None:
        if not is_fast_dev_run(trainer):
            log.info("no validation has chosen the best weights: the last ones are tested")
        return None
    load_weights(task, Path(best.best_model_path))
    if trainer.is_global_zero:
        weights.extract(Path(best.best_model_path), settings["model"]["network"], folder.weights_file)
    return float(best.best_model_score) if best.best_model_score is not None else None


def _write_scores(
    trainer: "Trainer", data: "LightningDataModule", per_image: "PerImage", start: Start, folder: RunFolder
) -> None:
    """Write the scores of the test to the run's folder, and print them."""
    from deblurlab.interfaces import Evaluable
    from deblurlab.run.printed_result import print_result
    from deblurlab.run.results import write_test

    assert isinstance(data, Evaluable)
    labels, metrics = data.labels("test"), trainer.callback_metrics
    result = write_test(folder, data=start.data, metrics=metrics, per_image=per_image.scores, labels=labels)
    to_log_file(print_result(result, model=start.model, precision=str(trainer.precision)))


if __name__ == "__main__":
    main()
