"""Runs one job of a sweep: finds its folder, and trains there unless that has already been done."""

import logging
import re
import shlex
import shutil
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from deblurlab.app.invocation import parse_overrides
from deblurlab.checks.command_line import quoted
from deblurlab.run.run_folder import RunFolder
from deblurlab.sweeps.process import never, run_process
from deblurlab.sweeps.record import Record
from deblurlab.sweeps.search import Trial
from deblurlab.sweeps.swept_keys import read_swept_keys

log = logging.getLogger(__name__)


def run_job(cfg: DictConfig) -> float:
    """Run the job with the configuration ``cfg``, unless it has already been run.

    A job's folder is in the sweep's folder, ``hydra.sweep.dir``, and named after the overrides that differ between the
    jobs. So the same sweep finds it again: a finished or pruned job is skipped; a killed or failed one continues from
    its last checkpoint, or starts again if it has none.

    Returns:
        The best value of ``cfg.monitor``; NaN if the job failed, and then its ``failure.txt`` says why.

    Raises:
        ValueError: If the folder belongs to a job with other overrides, or ``run`` is given.
    """
    hydra = HydraConfig.get()
    sweep = Path(hydra.sweep.dir)
    overrides = {override.get_key_element(): override for override in parse_overrides(hydra.overrides.task)}
    if "run" in overrides:
        raise ValueError("run=... is the folder of one run. A sweep's folder is hydra.sweep.dir=...")
    # sweep=... and search.... are for this command; the job gets the resulting values
    own = [str(one.input_line) for key, one in overrides.items() if key != "sweep" and not key.startswith("search.")]
    keys = sorted(read_swept_keys(sweep) & overrides.keys(), key=lambda key: (key == "seed", key))
    swept = {key: overrides[key].get_value_element_as_str() for key in keys}
    folder = sweep / _folder_name(swept)

    before = Record.read(folder)
    if before and sorted(before.overrides) != sorted(own):
        raise ValueError(
            f"{folder} was made with {shlex.join(before.overrides)}. Repeat these overrides to continue that sweep, or "
            "choose another hydra.sweep.dir."
        )
    trial = Trial(sweep, folder.name, cfg.search, seed=cfg.seed, monitor=cfg.monitor) if cfg.search else None
    drawn = trial.values if trial else {}
    record = Record(folder=folder, monitor=cfg.monitor, swept={**swept, **drawn}, overrides=own, status="running")
    if before and before.status in ("finished", "pruned", "diverged"):
        log.info(f"{folder.name}: {before.status} already")
        record.status = before.status
    elif record.tested:
        record.status = "finished"
    else:
        record.write()
        command = _command(hydra, [*own, *(f"{key}={value}" for key, value in drawn.items())], folder)
        should_prune = trial.watch(record.files.history_file, cfg.trainer.max_epochs) if trial else never
        record.status = run_process(command, folder, should_prune=should_prune)
        if trial and record.status == "failed" and record.files.diverged_file.is_file():
            record.status = "diverged"  # not "failed", since the same values would diverge again
    record.write()
    if trial:
        trial.tell(record.status, record.best)
    return record.best


def _folder_name(swept: Mapping[str, str]) -> str:
    """The name of a job's folder, such as ``model-unet16_lr-0.001_seed-1``, which needs no quotes in a shell or Hydra.

    Only the last part of a key such as ``model.optimizer.lr`` is used, unless another swept key has the same.
    """
    ends = Counter(key.split(".")[-1] for key in swept)
    parts = []
    for key, value in swept.items():
        end = key.split(".")[-1]
        plain = re.sub(r"^[^\w.+-]+|[^\w.+-]+$", "", value)  # a minus stays, since -0.5 is not 0.5
        plain = re.sub(r"[^\w.+-]+", "-", plain)
        parts.append(f"{key if ends[end] > 1 else end}-{plain}")
    name = "_".join(parts) or "job"
    return name if len(name) <= 200 else f"{name[:190]}_{zlib.crc32(name.encode()):08x}"


def _command(hydra: HydraConf, overrides: list[str], folder: Path) -> list[str]:
    """The words after ``python -m`` that train this job, or resume it if it has a checkpoint."""
    added = [source.path for source in hydra.runtime.config_sources if source.provider == "command-line"]
    command = [
        "deblurlab.train",
        *(f"--config-dir={path}" for path in added),
        *overrides,
        f"run={quoted(str(folder))}",
    ]
    files = RunFolder(folder)
    if files.last_checkpoint.is_file():
        return [*command, "ckpt_path=last"]
    # the run ended before its first checkpoint was complete; its folder would be taken for that of another run
    shutil.rmtree(files.checkpoints, ignore_errors=True)
    return command
