"""Which of several processes this is."""

import pytest

from deblurlab.processes.rank import Rank, this_rank, variables

TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4", "LOCAL_RANK": "1"}
SRUN = {"SLURM_PROCID": "3", "SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "8", "SLURM_STEP_NUM_NODES": "2"}


@pytest.mark.parametrize(
    ("environment", "rank"),
    [
        ({}, None),
        (TORCHRUN, Rank(5, 8, 4, 2, "torchrun")),
        (SRUN, Rank(3, 8, 4, 2, "srun")),
        (TORCHRUN | {"GROUP_WORLD_SIZE": "3"}, Rank(5, 8, 4, 3, "torchrun")),  # hosts that differ
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, None),  # a batch script, which srun has not started
        (SRUN | {"SLURM_STEP_NUM_TASKS": "1"}, None),
        ({"RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}, None),
    ],
)
def test_the_environment_tells(environment: dict[str, str], rank: Rank | None) -> None:
    assert this_rank(environment) == rank


def test_half_of_torchrun_s_variables_are_no_processes() -> None:
    """Kubernetes' operators set them for each pod; trained alone, all of them would write one folder."""
    with pytest.raises(ValueError, match=r"WORLD_SIZE=2 and RANK=1, but no LOCAL_RANK and no LOCAL_WORLD_SIZE: start"):
        this_rank({"WORLD_SIZE": "2", "RANK": "1"})


def test_a_command_s_own_processes_are_told_as_torchrun_does() -> None:
    own = variables(1, 2, address="127.0.0.1", port=4711)
    assert this_rank(own | {"DEBLURLAB_REPORTS": "/tmp"}) == Rank(1, 2, 2, 1, "deblurlab")
    assert (own["MASTER_ADDR"], own["MASTER_PORT"]) == ("127.0.0.1", "4711")
