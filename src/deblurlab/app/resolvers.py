"""The resolvers, ``${NAME:...}`` in YAML files: they compute folders and groups of runs."""

import itertools
from contextlib import suppress
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from deblurlab.app.evaluation_name import evaluation_name
from deblurlab.app.invocation import choices
from deblurlab.app.made_folders import made, made_for
from deblurlab.run.names import data_name, network_name
from deblurlab.run.run_folder import RunFolder, weights_name
from deblurlab.run.saved_run import load_run


def run_folder(parent: str, name: str, ckpt_path: str | None) -> str:
    """The folder of a run: ``parent/name`` for a new one, and with ``ckpt_path=last`` the newest run in ``parent``.

    The folder of a new run is made at once, so that commands that start within the same second get different names,
    such as ``parent/name_2``. The newest run is the last one that has a checkpoint.

    Raises:
        ValueError: If there is nothing to resume, or ``ckpt_path=auto`` comes without ``run``.
    """
    if ckpt_path == "auto":
        raise ValueError("ckpt_path=auto needs run=FOLDER, by which a command that is started again finds its run.")
    if ckpt_path != "last":
        return str(_made(Path(parent), name))
    resumable = [one.path for one in RunFolder.within(Path(parent)) if one.last_checkpoint.is_file()]
    if not resumable:
        raise ValueError(
            f"ckpt_path=last: no run in {parent} has a checkpoint. Name the run's folder with run=..., "
            "or start without ckpt_path."
        )
    return str(max(resumable, key=lambda folder: folder.name))


def _made(parent: Path, name: str) -> Path:
    """Make a folder that no other command has, even at the same time. The jobs of a sweep have theirs elsewhere."""
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        return parent / name
    made_for(parent)
    for number in itertools.count(1):
        folder = parent / (name if number == 1 else f"{name}_{number}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            made(folder)
            return folder
    raise AssertionError


def run_name(data: str, model: str, *, _root_: DictConfig) -> str:
    """The name of the folder of all runs of a data set and a network, such as ``cifar10_unet16``.

    Args:
        data: The name of the data set's configuration.
        model: The name of the model's configuration.
        _root_: The whole configuration, which OmegaConf passes.
    """
    if (again := _root_.get("rerun")) is not None:
        run = load_run(str(again), key="rerun")
        return f"{run.data}_{run.model}"
    return f"{data_name(data, _root_)}_{network_name(model, _root_)}"


def run_group(*, _root_: DictConfig) -> str | None:
    """The name under which a dashboard groups runs: the experiment, or else data set and network."""
    if not HydraConfig.initialized():
        return None
    chosen = choices()
    return chosen.get("experiment") or run_name(chosen["data"], chosen["model"], _root_=_root_)


def evaluation_folder(
    run: str | None, weights: str | None, restored: str | None, data: str | None, *, _root_: DictConfig
) -> str:
    """The folder of an evaluation: ``run/evaluate/data`` for a run, ``outputs/evaluate/name/data`` for others.

    By default, a run is evaluated on the data set that it was trained on. Settings that change the result are a part of
    the last name, as in ``run/evaluate/data-tta``: see :func:`evaluation_name`.

    Raises:
        ValueError: As for :func:`require_one_subject`.
    """
    require_one_subject(run, weights, restored, data)
    if run is not None:
        loaded = load_run(run)
        name = loaded.data if data is None else data_name(data, _root_)
        return str(RunFolder(Path(run)).evaluation(evaluation_name(name, _root_, run=loaded)))
    name = weights_name(str(weights)) if restored is None else Path(restored).absolute().name
    evaluation = evaluation_name(data_name(str(data), _root_), _root_, run=None)
    return f"outputs/evaluate/{name}/{evaluation}"


def require_one_subject(run: str | None, weights: str | None, restored: str | None, data: str | None) -> None:
    """Check that there is one thing to evaluate.

    ``evaluate`` calls this too, because Hydra does not resolve :func:`evaluation_folder` if the command line names the
    folder.

    Raises:
        ValueError: Unless exactly one of a run, weights and a folder of restored pictures is given, and data with the
            last two.
    """
    if sum(subject is not None for subject in (run, weights, restored)) != 1:
        raise ValueError("give either run=FOLDER, or weights=NAME_OR_FILE or restored=FOLDER and data=...")
    if run is None and data is None:
        given = f"weights={weights} come" if restored is None else f"restored={restored} comes"
        raise ValueError(f"{given} without data: choose data=cifar10, data=folder, ...")
