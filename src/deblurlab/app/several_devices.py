"""Runs a training on several devices by starting the command again, in one process per device."""

import os
import sys

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from deblurlab.checks.command_line import assignment, quoted
from deblurlab.processes.rank import this_rank
from deblurlab.processes.ranks import run_ranks
from deblurlab.run.claim import take_over
from deblurlab.run.run_folder import RunFolder

SWEEP = "a sweep, whose jobs start those of their devices themselves,"  # the name of this work for the error below


def train_in_processes(count: int, cfg: DictConfig, folder: RunFolder) -> None:
    """Run this command in ``count`` processes, each on its device, until they have ended.

    They get the settings that they might decide differently: the run's folder and the precision, which may be measured.

    Raises:
        ValueError: If one of them fails, with its error.
    """
    from deblurlab.app import devices
    from deblurlab.backends import distributed
    from deblurlab.backends.fast_precision import fast_precision

    precision = cfg.trainer.precision
    if precision == "auto":
        precision = fast_precision(devices.device(cfg).type)
    words = [word for word in sys.argv[1:] if not word.startswith(("run=", "trainer.precision="))]
    agreed = [f"run={quoted(str(folder))}", f"trainer.precision={precision}"]
    point = distributed.meeting_point()
    is_new = not folder.config_file.exists()
    try:
        run_ranks(
            ["deblurlab.train", *words, *agreed],
            world=count,
            address=point.host,
            port=point.port,
            environment={"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // count)), **os.environ},
            advice=(
                f"{assignment('run', folder)} ckpt_path=auto continues from the last checkpoint, or starts again if "
                "there is none"
            ),
        )
    except ValueError:
        if is_new and folder.config_file.exists():
            take_over(folder)  # so that it is removed if they have trained nothing
        raise


def require_folder() -> None:
    """Check that processes started by torchrun or srun share a folder, which is otherwise named after the time.

    Raises:
        ValueError: If there are several processes and the command line does not name the folder.
    """
    rank = this_rank()
    if rank is not None and not any(one.startswith("run=") for one in HydraConfig.get().overrides.task):
        raise ValueError(
            f"{rank.by} starts {rank.world} processes that must agree on the run's folder: name it with run=FOLDER."
        )


def require_one_process(work: str) -> None:
    """Check that there is only one process; several would do the same work and write the same files.

    Args:
        work: The name of the work, for the error.

    Raises:
        ValueError: If torchrun or srun has started several processes.
    """
    if (rank := this_rank()) is not None:
        raise ValueError(
            f"{rank.by} has started {rank.world} processes, and {work} takes one: start it without {rank.by}"
            + (", or with --ntasks 1." if rank.by == "srun" else ".")
        )
