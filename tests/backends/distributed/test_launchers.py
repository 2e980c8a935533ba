"""Two processes that torchrun or srun has started: nobody watches over both, so each of them has to end by itself."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deblurlab.backends.distributed import meeting_point
from deblurlab.processes.rank import variables
from tests.backends.distributed.test_two_processes import AUTOENCODER
from tests.conftest import HANG_SECONDS, ROOT

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def srun(rank: int, port: int) -> dict[str, str]:
    """The variables that srun sets, as far as they are read; MASTER_PORT is the user's."""
    job = {"JOB_ID": 7, "NTASKS": 2, "NTASKS_PER_NODE": 2, "NNODES": 1, "NODELIST": "localhost"}
    step = {"STEP_NUM_TASKS": 2, "STEP_NUM_NODES": 1, "PROCID": rank, "LOCALID": rank, "NODEID": 0}
    return {f"SLURM_{name}": str(value) for name, value in (job | step).items()} | {"MASTER_PORT": str(port)}


def start(folder: Path, launcher: str, *overrides: str) -> list[tuple[int, str]]:
    """The exit status and standard error of each of two processes that train as a launcher starts them."""
    point, port = meeting_point(), free_port()
    told = {
        "torchrun": lambda rank: variables(rank, 2, address=point.host, port=point.port),
        "srun": lambda rank: srun(rank, port),
    }[launcher]
    path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, "-m", "deblurlab.train", *AUTOENCODER, "trainer.devices=2", *overrides, "run=run"]
    processes = [
        subprocess.Popen(
            command, cwd=folder, env=os.environ | {"PYTHONPATH": path} | told(rank), stderr=subprocess.PIPE, text=True
        )
        for rank in (0, 1)
    ]
    try:
        errors = [process.communicate(timeout=HANG_SECONDS)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, error) for process, error in zip(processes, errors, strict=True)]


def to_second(number: int) -> str:
    return (
        "+callbacks.signal={_target_: tests.backends.distributed.signal_one.SignalOne, "
        f"rank: 1, step: 6, number: {number}}}"
    )


@pytest.mark.parametrize("launcher", ["torchrun", pytest.param("srun", marks=pytest.mark.exhaustive)])
def test_a_signal_to_the_second_process_ends_both_with_a_checkpoint_and_one_line(
    launcher: str, tiny_cifar10: Path, tmp_path: Path
) -> None:
    overrides = (f"data.root={tiny_cifar10}", "trainer.max_epochs=500", to_second(15))
    (first, told), (second, silent) = start(tmp_path, launcher, *overrides)
    assert (first, second) == (128 + 15, 128 + 15), told + silent
    assert told.count("run=run ckpt_path=last trust=[tests] continues from the last checkpoint") == 1
    assert "continues" not in silent
    assert "auto-requeueing" not in told  # Lightning's own, which takes a signal of ours
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()


def test_a_process_that_is_killed_ends_the_other_with_one_line(tiny_cifar10: Path, tmp_path: Path) -> None:
    overrides = (f"data.root={tiny_cifar10}", "trainer.max_epochs=500", to_second(9))
    (first, told), (second, _) = start(tmp_path, "srun", *overrides)
    assert (first, second) == (1, -9), told
    assert told.count("error: another process of this training has ended") == 1
    assert "Traceback" not in told
