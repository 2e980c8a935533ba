"""From configuration to objects, by Hydra's ``instantiate``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningDataModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from omegaconf import DictConfig

from deblurlab import backends
from deblurlab.app import devices
from deblurlab.app.arguments import check_arguments, check_entries
from deblurlab.app.expected_warnings import ignore_expected_warnings
from deblurlab.app.instantiated import instantiated
from deblurlab.backends import DeviceSettings
from deblurlab.backends.prepare_networks import PrepareNetworks
from deblurlab.backends.tell_devices import TellDevices
from deblurlab.callbacks.check_optimizer_states import CheckOptimizerStates
from deblurlab.callbacks.epoch_so_far import EpochSoFar
from deblurlab.callbacks.finish_epoch import FinishEpoch
from deblurlab.callbacks.finite_scores import FiniteScores
from deblurlab.callbacks.position_in_epoch import PositionInEpoch
from deblurlab.checks import require
from deblurlab.losses import LogCosh
from deblurlab.restoring.restorer import Restorer
from deblurlab.run import trusted
from deblurlab.run.checkpoint import AtomicCheckpointIO, fill_task
from deblurlab.run.sketch import sketch
from deblurlab.tasks.restoration import Restoration, TrainedNetwork

_PRECISIONS = ("auto", "32-true", "32", "bf16-mixed", "bf16", "16-mixed", "16")


def check_groups(cfg: DictConfig) -> None:
    """Check the arguments of all classes in all groups, without building anything.

    Raises:
        ValueError: If an argument or its value does not fit its class.
    """
    check_arguments(cfg.data, "data")
    check_arguments(cfg.model, "model")
    check_arguments(cfg.trainer, "trainer", also=DeviceSettings)
    check_entries(cfg.logger, "logger")
    check_entries(cfg.callbacks, "callbacks")


def data(cfg: DictConfig) -> LightningDataModule:
    """The data module of ``cfg.data``."""
    _require_class(cfg, "data")
    check_arguments(cfg.data, "data")
    module: LightningDataModule = instantiated(cfg.data)
    return module


def task(cfg: DictConfig) -> Restoration:
    """The task of ``cfg.model`` with its network, which has random weights."""
    _require_class(cfg, "model")
    check_arguments(cfg.model, "model")
    module: Restoration = instantiated(cfg.model)
    return module


def _require_class(cfg: DictConfig, section: str) -> None:
    if "_target_" not in cfg[section]:
        raise ValueError(f"the configuration is damaged: {section} does not name its class, {section}._target_.")


def trained(config: DictConfig, checkpoint: Path, *, trust: Sequence[str], source: Path) -> Restoration:
    """The task of a run with the weights of one of its checkpoints.

    Args:
        config: The run's configuration. It is checked as a whole before any of it is built.
        checkpoint: A checkpoint of the run.
        trust: Names of packages of which the configuration may name any class. With any, the network's size is not
            checked before it is built.
        source: The file that the configuration was read from, for messages.

    Raises:
        ValueError: If the configuration names a class that is not trusted, or the checkpoint is damaged or of another
            network.
    """
    trusted.check(config, trust=trust, source=str(source))
    state = AtomicCheckpointIO().load_checkpoint(checkpoint)
    if not trust:
        sketch(lambda: task(config), tensors=len(state["state_dict"])).on_load_checkpoint(state)
    module = task(config)
    fill_task(module, state)
    return module


def scored(restorer: Restorer) -> Restoration:
    """A task that scores a trained network, with the study's loss."""
    return TrainedNetwork(restorer, LogCosh())


def processes(cfg: DictConfig) -> int:
    """The number of processes that a training has to start, one per device; 1 if this process can train itself.

    Raises:
        ValueError: If the machine lacks the devices.
    """
    check_arguments(cfg.trainer, "trainer", also=DeviceSettings)
    settings, _ = devices.divided(cfg.trainer)
    return backends.choose(settings.accelerator).processes(settings)


def trainer(cfg: DictConfig, *callbacks: Callback) -> Trainer:
    """The trainer of ``cfg.trainer`` on its backend.

    Args:
        cfg: A configuration with the groups ``trainer``, ``callbacks`` and ``logger``; the last two may be missing.
        callbacks: Callbacks in addition to those of the configuration.

    Raises:
        ValueError: If a setting makes no sense, or the machine lacks the device.
    """
    check_arguments(cfg.trainer, "trainer", also=DeviceSettings)
    ignore_expected_warnings()
    settings, arguments = devices.divided(cfg.trainer)
    _refuse_unsupported(cfg.trainer)
    _refuse_zeros(arguments)
    backend = backends.choose(settings.accelerator)
    training = backend.training(settings)
    # before callbacks that read what these restore
    resuming = [CheckOptimizerStates(), EpochSoFar(), FinishEpoch(), PositionInEpoch()]
    loggers = _listed(cfg, "logger")
    rates = [LearningRateMonitor("step")] if loggers else []
    own = [*rates, FiniteScores(), TellDevices(training.devices), PrepareNetworks(backend), *training.callbacks]
    module: Trainer = instantiated(
        arguments,
        callbacks=[*resuming, *_listed(cfg, "callbacks"), *callbacks, *own],
        logger=loggers or False,
        enable_progress_bar=False,
        **training.arguments,
    )
    return module


def _refuse_zeros(arguments: Mapping[str, Any]) -> None:
    """Refuse zeros that Lightning's Trainer accepts, but by which it divides in the first epoch.

    Raises:
        ValueError: If there is such a value.
    """
    for name in ("accumulate_grad_batches", "check_val_every_n_epoch"):
        if (value := arguments.get(name)) is not None:
            require.whole_number(f"trainer.{name}", value, at_least=1)
    if arguments.get("val_check_interval") == 0:
        raise ValueError("trainer.val_check_interval must be positive; trainer.limit_val_batches=0 never validates.")


def _refuse_unsupported(trainer: DictConfig) -> None:
    """Refuse settings of Lightning's Trainer that would end in an error of Lightning after minutes."""
    if trainer.get("overfit_batches"):
        raise ValueError(
            f"trainer.overfit_batches={trainer.overfit_batches}: a run draws new images in each epoch. "
            "trainer.limit_train_batches=... makes epochs short."
        )
    if str(trainer.precision) not in _PRECISIONS:
        raise ValueError(
            f"trainer.precision={trainer.precision}: images, weights and scores are float32; choose one of "
            f"{', '.join(_PRECISIONS)}."
        )


def _listed(cfg: DictConfig, key: str) -> list[Any]:
    """Build the objects of a group that has one entry per object; entries that are null are skipped."""
    group = cfg.get(key)
    if not group:
        return []
    check_entries(group, key)
    return [instantiated(entry) for entry in group.values() if entry is not None]
