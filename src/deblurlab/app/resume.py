"""The settings of a resumed run: those in its folder, of which the command line may change some."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from deblurlab.app.invocation import choices, parse_overrides
from deblurlab.app.resume_trust import require_trusted
from deblurlab.run.changed_settings import tell_changes
from deblurlab.run.names import Named
from deblurlab.run.run_folder import RunFolder, checkpoint_file
from deblurlab.run.saved_run import Run, earlier_overrides, load_run
from deblurlab.run.saved_yaml import read_yaml

log = logging.getLogger(__name__)

_GROUPS = ("data", "model", "trainer", "logger", "callbacks")
# Keys that belong to the command and not to the training.
_OF_THE_COMMAND = ("run", "rerun", "ckpt_path", "trust")


@dataclass(frozen=True, kw_only=True)
class Start(Named):
    """The start of a training: its settings, and where it resumes.

    Attributes:
        checkpoint: The checkpoint that it resumes from; None for a new run.
    """

    checkpoint: Path | None


def start_of(cfg: DictConfig, folder: RunFolder) -> Start:
    """Find the checkpoint that a training resumes from, and its settings.

    Args:
        cfg: The configuration that Hydra composed for this command. ``cfg.ckpt_path=auto`` is replaced by "last" or
            None.
        folder: The folder of the run.

    Raises:
        ValueError: If there is no such checkpoint; if the settings of its run are damaged or name a class that is not
            trusted; or if the command line changes a setting that a resumed run must keep.
    """
    if cfg.rerun is not None:
        return _rerun(cfg)
    chosen = {group: choices()[group] for group in ("model", "data")}
    if cfg.ckpt_path == "auto":
        cfg.ckpt_path = "last" if folder.last_checkpoint.is_file() else None
    if not cfg.ckpt_path:
        return Start(config=cfg, choices=chosen, checkpoint=None)
    checkpoint = checkpoint_file(cfg.ckpt_path, folder)
    origin = RunFolder.of_checkpoint(checkpoint)
    if not origin.is_run:
        log.info(f"{checkpoint} lies in no run's folder: the settings are those of the command line")
        return Start(config=cfg, choices=chosen, checkpoint=checkpoint)
    run = load_run(origin.path)
    now = _continued(run, cfg)
    compared = [run]
    if folder.holds_run and origin.path != folder.path.absolute():  # the checkpoint is of a run in another folder
        compared.append(load_run(folder.path))
    for earlier in compared:
        before = _moved(_plain(earlier.config), earlier, cfg.run)
        tell_changes(before, now, source=earlier.folder.config_file, weights=earlier.folder.path)
    return Start(
        config=require_trusted(OmegaConf.create(now), cfg, source=origin.config_file),
        choices=run.choices,
        checkpoint=checkpoint,
    )


def _rerun(cfg: DictConfig) -> Start:
    """Start a new run with the settings of the run in ``cfg.rerun`` and the changes of the command line."""
    if cfg.ckpt_path:
        raise ValueError("rerun=... starts again and ckpt_path=... continues: leave one of them out.")
    run = load_run(cfg.rerun, key="rerun")
    trusted = require_trusted(OmegaConf.create(_continued(run, cfg)), cfg, source=run.folder.config_file)
    return Start(config=trusted, choices=run.choices, checkpoint=None)


def _continued(run: Run, cfg: DictConfig) -> dict[str, Any]:
    """The settings of a run with the changes of the command line, for the folder ``cfg.run``."""
    from deblurlab.app.devices import KEYS  # imports torch

    composed, before = _plain(cfg), _plain(run.config)
    trainer = {key: composed["trainer"][key] for key in KEYS} | before["trainer"]
    now = OmegaConf.create(composed | before | {"trainer": trainer})  # a run of an earlier version may lack keys
    for key, source in _changes(run, cfg):
        _copy(key, source, now)
    return _moved(_plain(now), run, cfg.run)


def _changes(run: Run, cfg: DictConfig) -> Iterator[tuple[str, DictConfig]]:
    """The keys that the command line changes, and where their values come from. Later ones replace earlier ones.

    If the command line chooses another option of a group than before, the group is taken from the command, except for
    the single keys that the run was started with. Choosing the same option again changes nothing.
    """
    task: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)  # an override may hold ${...}
    overridden, overridden_before = _keys(task), _keys(earlier_overrides(run.folder))
    for group in _chosen_anew(overridden, run.folder):
        yield group, cfg
        yield from ((key, run.config) for key in overridden_before if key.startswith(f"{group}."))
    yield from ((key, cfg) for key in overridden if key not in HydraConfig.get().runtime.choices)
    yield from ((key, cfg) for key in _OF_THE_COMMAND)


def _keys(overrides: Iterable[str]) -> list[str]:
    """The keys and groups that overrides set."""
    return [override.key_or_group for override in parse_overrides(overrides)]


def _chosen_anew(overridden: list[str], folder: RunFolder) -> Iterator[str]:
    """The keys of the groups, such as ``data`` or ``model.loss``, for which the command line chooses another option."""
    settings: Any = OmegaConf.to_container(read_yaml(folder.hydra_file), resolve=False)
    before = settings["hydra"]["runtime"]["choices"]
    now: Any = OmegaConf.to_container(HydraConfig.get().runtime.choices)
    anew = [key for key in overridden if key in now and before.get(key) != now[key]]
    for group in dict.fromkeys([*(_GROUPS if "experiment" in anew else ()), *anew]):
        if group.split("/")[0] in _GROUPS:
            yield group.replace("/", ".")


def _copy(key: str, source: DictConfig, target: DictConfig) -> None:
    """Copy the value of a key from one configuration to another, or remove the key if it is missing there."""
    parent, _, name = key.rpartition(".")
    there = OmegaConf.select(source, parent) if parent else source
    if isinstance(there, DictConfig) and name in there:
        value = there[name]
        plain = _plain(value) if OmegaConf.is_config(value) else value
        OmegaConf.update(target, key, plain, merge=False, force_add=True)
    elif isinstance(here := OmegaConf.select(target, parent) if parent else target, DictConfig):
        here.pop(name, None)


def _plain(config: Any) -> Any:
    return OmegaConf.to_container(config, resolve=True)


def _moved(config: Mapping[str, Any], run: Run, folder: str) -> dict[str, Any]:
    """Replace the folder that a run was started in by ``folder`` in all paths of trainer, callbacks and loggers."""
    started_in = str(run.config.get("run"))

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        inside = isinstance(value, str) and (value == started_in or value.startswith(f"{started_in}/"))
        return folder + value.removeprefix(started_in) if inside else value

    return {key: moved(value) if key in ("trainer", "callbacks", "logger") else value for key, value in config.items()}
