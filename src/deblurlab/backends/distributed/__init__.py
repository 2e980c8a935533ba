"""Data parallel training on several GPUs, or processes of the CPU: torch.distributed with nccl or gloo.

Each device has a process, a rank. All of them make the same draws; each trains on its rows of the same global batch:

- ``meeting.py``: connects the ranks;
- ``all_reduce_strategy.py``: averages gradients in one all-reduce; Lightning's barriers, broadcasts and means;
- ``global_batch_norm.py``: batch normalisation over the global batch, with the functions of ``reductions.py``;
- ``rank_callbacks.py``: callbacks that set up the task and its networks, and gather results of all ranks.

The processes are started by ``deblurlab.processes``, by torchrun or by Slurm's srun.
"""

from collections.abc import Sequence

from lightning.fabric.plugins import ClusterEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch import Callback

from deblurlab.backends.distributed.all_reduce_strategy import AllReduceStrategy
from deblurlab.backends.distributed.meeting import meeting_point
from deblurlab.backends.distributed.rank_callbacks import GatherSkipped, NormaliseTogether, TellRows
from deblurlab.processes.rank import Rank

__all__ = ["AllReduceStrategy", "callbacks", "meeting_point", "strategy"]


def strategy(rank: Rank, *, per_core: bool) -> AllReduceStrategy:
    """The strategy of one of several processes.

    Args:
        rank: The rank of this process.
        per_core: Whether batch normalisation is over each device's images separately.
    """
    # Lightning's own handler of SIGUSR1 would requeue the job; docs/training.md says how a job of ours continues
    environment: ClusterEnvironment = (
        SLURMEnvironment(auto_requeue=False) if rank.by == "srun" else TorchElasticEnvironment()
    )
    return AllReduceStrategy(environment, average_statistics=per_core)


def callbacks(rank: Rank, *, per_core: bool) -> Sequence[Callback]:
    """Callbacks of one of several processes.

    Args:
        rank: The rank of this process.
        per_core: Whether batch normalisation is over each device's images separately.
    """
    always: list[Callback] = [TellRows(rank), GatherSkipped()]
    return always if per_core else [*always, NormaliseTogether()]
