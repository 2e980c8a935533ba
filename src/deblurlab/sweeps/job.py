"""One job of a sweep: the training command in a process of its own, so that no crash reaches the other jobs."""

import ctypes
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import zlib
from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from deblurlab.files.whole_file import whole_file
from deblurlab.sweeps.record import Record
from deblurlab.sweeps.search import Trial

log = logging.getLogger(__name__)


def run_job(cfg: DictConfig) -> float:
    """Run the job that Hydra composed ``cfg`` for, unless it has been run already.

    A job's folder, in ``hydra.sweep.dir``, is named by the overrides that differ between jobs, so that the same
    sweep finds it again: a finished or pruned job is skipped, a killed or failed one goes on from its last
    checkpoint, or starts anew if it has none.

    Returns:
        The best value of ``cfg.monitor``; NaN if the job failed, which its ``failure.txt`` explains.

    Raises:
        ValueError: if the folder belongs to a job with other overrides, or ``run`` is given.
    """
    hydra = HydraConfig.get()
    sweep = Path(hydra.sweep.dir)
    overrides = {override.get_key_element(): override for override in _parsed(hydra.overrides.task)}
    if "run" in overrides:
        raise ValueError("run=... is the folder of one run. A sweep's folder is hydra.sweep.dir=...")
    # the sweep file and the search are this command's; the values they lead to are the job's
    own = [str(one.input_line) for key, one in overrides.items() if key != "sweep" and not key.startswith("search.")]
    keys = sorted(_swept(sweep) & overrides.keys(), key=lambda key: (key == "seed", key))
    swept = {key: overrides[key].get_value_element_as_str() for key in keys}
    folder = sweep / _folder_name(swept)

    before = Record.read(folder)
    if before and sorted(before.overrides) != sorted(own):
        raise ValueError(
            f"{folder} was made with {' '.join(before.overrides)}. Repeat these overrides to go on with that sweep, or "
            "choose another hydra.sweep.dir."
        )
    trial = Trial(sweep, folder.name, cfg.search, seed=cfg.seed, monitor=cfg.monitor) if cfg.search else None
    drawn = trial.values if trial else {}
    record = Record(folder=folder, monitor=cfg.monitor, swept={**swept, **drawn}, overrides=own, status="running")
    if before and before.status in ("finished", "pruned"):
        log.info(f"{folder.name}: {before.status} already")
        record.status = before.status
    elif record.tested:
        record.status = "finished"
    else:
        record.write()
        command = _command(hydra, [*own, *(f"{key}={value}" for key, value in drawn.items())], folder)
        hopeless = trial.watch(folder / "metrics.csv", cfg.trainer.max_epochs) if trial else _never
        record.status = _run(command, folder, hopeless)
    record.write()
    if trial:
        trial.tell(record.status, record.best)
    return record.best


def _parsed(overrides: list[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides(list(overrides))


def _swept(sweep: Path) -> set[str]:
    """The keys that have several values in this sweep, as Hydra recorded it."""
    hydra = OmegaConf.load(sweep / "multirun.yaml").hydra
    params = [f"{key}={value}" for key, value in (hydra.sweeper.params or {}).items()]
    return {one.get_key_element() for one in _parsed([*params, *hydra.overrides.task]) if one.is_sweep_override()}


def _folder_name(swept: Mapping[str, str]) -> str:
    """model-unet16_lr-0.001_seed-1: nothing that a shell or Hydra would want quoted."""
    ends = Counter(key.split(".")[-1] for key in swept)
    parts = []
    for key, value in swept.items():
        end = key.split(".")[-1]
        plain = re.sub(r"[^\w.+]+", "-", value).strip("-")
        parts.append(f"{key if ends[end] > 1 else end}-{plain}")
    name = "_".join(parts) or "job"
    return name if len(name) <= 200 else f"{name[:190]}_{zlib.crc32(name.encode()):08x}"


def _command(hydra: HydraConf, overrides: list[str], folder: Path) -> list[str]:
    """What a user would type to train this one job."""
    added = [source.path for source in hydra.runtime.config_sources if source.provider == "command-line"]
    command = [sys.executable, "-m", "deblurlab.train", *(f"--config-dir={path}" for path in added)]
    command += [*overrides, f"run='{folder}'"]
    if (folder / "checkpoints" / "last.ckpt").is_file():
        return [*command, "ckpt_path=last"]
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # of a run that ended before its first whole checkpoint
    return command


def _never() -> bool:
    return False


def _run(command: list[str], folder: Path, hopeless: Callable[[], bool]) -> str:
    """Run ``command``, show what it prints, end it once it is ``hopeless``; finished, pruned or failed."""
    (folder / "failure.txt").unlink(missing_ok=True)
    environment = {key: value for key, value in os.environ.items() if key != "HYDRA_FULL_ERROR"}
    environment["WANDB_RUN_GROUP"] = folder.parent.name
    environment["PYTHONUNBUFFERED"] = "1"
    last_lines: deque[str] = deque(maxlen=80)
    pruned = False
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last_lines.append(line)
                print(f"{folder.name} | {line}", end="", file=sys.stderr, flush=True)
                if not pruned and hopeless():
                    pruned = True
                    process.terminate()
        except BaseException:
            process.terminate()
            raise
    if pruned:
        log.info(f"{folder.name}: pruned")
        return "pruned"
    if process.returncode == 0 and (folder / "metrics.json").is_file():
        return "finished"
    end = f"exit status {process.returncode}"
    if process.returncode < 0:
        end = f"killed by {signal.Signals(-process.returncode).name}"
    with whole_file(folder / "failure.txt") as partial:
        partial.write_text(f"{end}\n\n{''.join(last_lines)}")
    log.error(f"{folder.name}: {end}; the others go on. See {folder / 'failure.txt'}")
    return "failed"


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """In the child: have Linux kill it when the sweep is killed, so that a re-run does not meet it still training."""
    assert _libc is not None
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
