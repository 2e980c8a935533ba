"""The settings of a resumed run: those in its folder, of which the command line may change some."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, ListConfig, OmegaConf

from deblurlab.app.resume_trust import require_trusted
from deblurlab.run.changed_settings import tell_changes
from deblurlab.run.names import Named
from deblurlab.run.run_folder import RunFolder, checkpoint_file
from deblurlab.run.saved_run import Run, load_run
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
    choices = {group: str(HydraConfig.get().runtime.choices[group]) for group in ("model", "data")}
    if cfg.ckpt_path == "auto":
        cfg.ckpt_path = "last" if folder.last_checkpoint.is_file() else None
    if not cfg.ckpt_path:
        return Start(config=cfg, choices=choices, checkpoint=None)
    checkpoint = checkpoint_file(cfg.ckpt_path, folder)
    origin = RunFolder.of_checkpoint(checkpoint)
    if not origin.is_run:
        log.info(f"{checkpoint} lies in no run's folder: the settings are those of the command line")
        return Start(config=cfg, choices=choices, checkpoint=checkpoint)
    run = load_run(origin.path)
    before: Any = OmegaConf.to_container(run.config)
    now = _moved(_changed(before, cfg, run), str(before.get("run")), cfg.run)
    compared = [run]
    if folder.holds_run and origin.path != folder.path.absolute():  # the checkpoint is of a run in another folder
        compared.append(load_run(folder.path))
    for one in compared:
        was: Any = OmegaConf.to_container(one.config)
        moved = _moved(was, str(was.get("run")), cfg.run)
        tell_changes(moved, now, source=one.folder.config_file, weights=one.folder.path)
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
    before: Any = OmegaConf.to_container(run.config)
    now = _moved(_changed(before, cfg, run), str(before.get("run")), cfg.run)
    trusted = require_trusted(OmegaConf.create(now), cfg, source=run.folder.config_file)
    return Start(config=trusted, choices=run.choices, checkpoint=None)


def _changed(before: Mapping[str, Any], cfg: DictConfig, run: Run) -> dict[str, Any]:
    """The settings of a run with the changes of the command line.

    If the command line chooses another option of a group than before, the group is taken from the command, except for
    the single keys that the run was started with. Choosing the same option again changes nothing.
    """
    from deblurlab.app.devices import KEYS  # imports torch

    composed: Any = OmegaConf.to_container(cfg, resolve=True)
    now: Any = OmegaConf.create({**composed, **before})
    now.trainer = {**{key: composed["trainer"][key] for key in KEYS}, **before["trainer"]}
    saved = read_yaml(run.folder.overrides_file) if run.folder.overrides_file.is_file() else None
    then = _overrides(saved) if isinstance(saved, ListConfig) else []
    command = _overrides(OmegaConf.create(HydraConfig.get().overrides.task))
    for key in _chosen_anew(command, run.folder):
        _set(now, key, cfg)
        for override in then:
            if override.key_or_group.startswith(f"{key}."):
                _set(now, override.key_or_group, OmegaConf.create(dict(before)))
    for override in command:
        if override.key_or_group not in HydraConfig.get().runtime.choices:
            _set(now, override.key_or_group, cfg)
    for key in _OF_THE_COMMAND:
        now[key] = composed[key]
    changed: dict[str, Any] = OmegaConf.to_container(now, resolve=True)  # type: ignore[assignment]
    return changed


def _overrides(texts: ListConfig) -> list[Override]:
    plain: Any = OmegaConf.to_container(texts, resolve=False)  # an override may hold ${...}
    return OverridesParser.create().parse_overrides([str(text) for text in plain])


def _chosen_anew(command: list[Override], folder: RunFolder) -> Iterator[str]:
    """The keys of the groups, such as ``data`` or ``model.loss``, for which the command line chooses another option."""
    settings: Any = OmegaConf.to_container(read_yaml(folder.hydra_file), resolve=False)
    before = settings["hydra"]["runtime"]["choices"]
    choices: Any = OmegaConf.to_container(HydraConfig.get().runtime.choices)
    named = [one.key_or_group for one in command if one.key_or_group in choices]
    anew = [group for group in named if before.get(group) != choices[group]]
    for group in dict.fromkeys([*(_GROUPS if "experiment" in anew else ()), *anew]):
        if group.split("/")[0] in _GROUPS:
            yield group.replace("/", ".")


def _set(config: DictConfig, key: str, source: DictConfig) -> None:
    """Copy the value of a key from another configuration, or remove the key if it is missing there."""
    parent, _, name = key.rpartition(".")
    there = OmegaConf.select(source, parent) if parent else source
    if isinstance(there, DictConfig) and name in there:
        value = there[name]
        plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        OmegaConf.update(config, key, plain, merge=False, force_add=True)
    elif isinstance(here := OmegaConf.select(config, parent) if parent else config, DictConfig):
        here.pop(name, None)


def _moved(config: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Replace the folder of a run by its present one in all paths of trainer, callbacks and loggers."""

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        inside = isinstance(value, str) and (value == old or value.startswith(f"{old}/"))
        return new + value.removeprefix(old) if inside else value

    return {key: moved(value) if key in ("trainer", "callbacks", "logger") else value for key, value in config.items()}
