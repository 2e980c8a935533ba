"""The number of this process among the processes of one training."""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

# Set in the processes that a command starts for its devices: the folder for their reports.
REPORTS = "DEBLURLAB_REPORTS"


class Rank(NamedTuple):
    """One of several processes that train one network, in the terms of torch.distributed.

    Attributes:
        rank: The number of this process, from 0. Process 0 writes the run's folder.
        world: The number of processes on all hosts.
        local: The number of processes on this host; for srun, the mean over the hosts, rounded down.
        hosts: The number of hosts.
        by: The program that started them: ``deblurlab``, ``torchrun`` or ``srun``.
    """

    rank: int
    world: int
    local: int
    hosts: int
    by: str


def this_rank(environment: Mapping[str, str] = os.environ) -> Rank | None:
    """The rank of this process if a command of deblurlab, torchrun or Slurm's srun has started several; None if not.

    A batch script of Slurm has SLURM_PROCID, too; only processes of srun have SLURM_STEP_NUM_TASKS, the number of
    tasks.

    Raises:
        ValueError: If another program has set some of torchrun's variables and not all of them.
    """
    if int(environment.get("WORLD_SIZE", 1)) > 1 and "RANK" in environment:
        if missing := [name for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE") if name not in environment]:
            raise ValueError(
                f"the environment has WORLD_SIZE={environment['WORLD_SIZE']} and RANK={environment['RANK']}, but no "
                f"{' and no '.join(missing)}: start the processes by torchrun, which sets all four, or unset "
                "WORLD_SIZE for a training of one process."
            )
        rank, world, local = (int(environment[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"))
        hosts = int(environment.get("GROUP_WORLD_SIZE", world // local))
        return Rank(rank, world, local, hosts, "deblurlab" if REPORTS in environment else "torchrun")
    if (world := int(environment.get("SLURM_STEP_NUM_TASKS", 1))) > 1:
        hosts = int(environment.get("SLURM_STEP_NUM_NODES", 1))
        return Rank(int(environment["SLURM_PROCID"]), world, world // hosts, hosts, "srun")
    return None


def is_first() -> bool:
    """Whether this process logs the progress for the user: the first of several, or the only one."""
    this = this_rank()
    return this is None or this.rank == 0


def variables(rank: int, world: int, *, address: str, port: int) -> dict[str, str]:
    """The environment variables by which a process knows its rank, as torchrun sets them.

    Args:
        rank: The number of the process.
        world: The number of processes, all on this host.
        address: The address at which the processes meet.
        port: The port at that address, at which this process's parent listens.
    """
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
    numbers |= {"GROUP_RANK": 0, "GROUP_WORLD_SIZE": 1}
    meeting = {"MASTER_ADDR": address, "MASTER_PORT": str(port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    return {name: str(number) for name, number in numbers.items()} | meeting


def quieten() -> None:
    """Make all processes except the first log warnings only, and to the terminal only."""
    if is_first():
        return
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    root.handlers = [one for one in root.handlers if not isinstance(one, logging.FileHandler)]
    warnings.simplefilter("ignore")  # the first process shows the same ones


@contextmanager
def told_already() -> Iterator[None]:
    """Log only warnings in the block if a command has started this process, since it has already logged the rest."""
    logging.disable(logging.INFO if REPORTS in os.environ else logging.NOTSET)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
