"""What ``${...:...}`` in YAML files computes: folders and groups of runs."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from deblurlab.run.run_folder import RunFolder, weights_name
from deblurlab.run.saved_run import load_run


def run_folder(parent: str, name: str, ckpt_path: str | None) -> str:
    """``parent/name`` for a new run; to resume with ``ckpt_path=last``, the newest resumable run in ``parent``.

    Raises:
        ValueError: if there is nothing to resume, or ``ckpt_path=auto`` does not say in which folder.
    """
    if ckpt_path == "auto":
        raise ValueError("ckpt_path=auto needs run=FOLDER, by which a command that is started again finds its run.")
    if ckpt_path != "last":
        return f"{parent}/{name}"
    resumable = [one.path for one in RunFolder.within(Path(parent)) if one.last_checkpoint.is_file()]
    if not resumable:
        raise ValueError(
            f"ckpt_path=last: no run in {parent} has a checkpoint. Name the run's folder with run=..., "
            "or start without ckpt_path."
        )
    return str(max(resumable, key=lambda folder: folder.name))


def run_group() -> str | None:
    """The experiment's name, or data_model: under which runs stand together in a dashboard."""
    if not HydraConfig.initialized():
        return None
    choices = HydraConfig.get().runtime.choices
    return str(dict(choices).get("experiment") or f"{choices['data']}_{choices['model']}")


def evaluation_folder(run: str | None, weights: str | None, data: str | None) -> str:
    """Where an evaluation goes: ``run/evaluate/data``, by default of the data set that the run was trained on; of
    weights alone ``outputs/evaluate/name/data``.

    Raises:
        ValueError: unless there is either a run or weights, and, for weights, data.
    """
    if (run is None) == (weights is None):
        raise ValueError("give either run=FOLDER, or weights=NAME_OR_FILE and data=...")
    if run is not None:
        return str(RunFolder(Path(run)).evaluation(data or load_run(run).data))
    if data is None:
        raise ValueError(f"weights={weights} come without data: choose data=cifar10, data=folder, ...")
    return f"outputs/evaluate/{weights_name(str(weights))}/{data}"
