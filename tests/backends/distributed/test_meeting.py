"""Processes that meet, or do not: here threads of one process."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.accelerators import CPUAccelerator

from deblurlab.backends.distributed import all_reduce_strategy as module
from deblurlab.backends.distributed.meeting import meet, meeting_point
from deblurlab.processes.rank import variables
from tests.backends.distributed.test_launchers import free_port

HERE = "127.0.0.1"


@pytest.mark.parametrize("launcher_listens", [True, False])
def test_all_come_and_share_what_they_tell(launcher_listens: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    point = meeting_point()
    if launcher_listens:
        monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    port = point.port if launcher_listens else free_port()
    with ThreadPoolExecutor() as threads:
        stores = list(threads.map(lambda rank: meet(rank, 3, address=HERE, port=port), (2, 1, 0)))
    stores[0].set("key", "value")
    assert [store.get("key") for store in stores] == [b"value"] * 3


def test_afterwards_the_store_waits_as_long_as_an_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    point = meeting_point()
    for name, value in variables(0, 1, address=point.host, port=point.port).items():
        monkeypatch.setenv(name, value)
    given: dict[str, Any] = {}
    monkeypatch.setattr(module.rank_zero_only, "rank", 0, raising=False)
    monkeypatch.setattr(module.atexit, "register", lambda _: None)
    monkeypatch.setattr(module.distributed, "init_process_group", lambda _, **settings: given.update(settings))
    strategy = module.AllReduceStrategy(TorchElasticEnvironment(), average_statistics=False)
    strategy.accelerator, strategy.parallel_devices = CPUAccelerator(), [torch.device("cpu")]
    strategy.setup_environment()
    assert given["store"].timeout == given["timeout"]


def test_who_does_not_come_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    with pytest.raises(
        ValueError, match=rf"^process 2, 3 of 3 did not connect to {HERE}:{port} within 0 seconds: its own"
    ):
        meet(0, 3, address=HERE, port=port, patience=0.1)
    point = meeting_point()
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    with pytest.raises(ValueError, match=r"^process 1 of 2 did not connect"):
        meet(1, 2, address=HERE, port=point.port, patience=0.1)


def test_a_first_process_that_never_listens_and_one_that_cannot() -> None:
    port = free_port()
    with pytest.raises(
        ValueError, match=rf"^{HERE}:{port}, where the processes meet, cannot be reached: .*MASTER_ADDR"
    ):
        meet(1, 2, address=HERE, port=port, patience=0.1)
    point = meeting_point()
    with pytest.raises(ValueError, match=rf"^the first process cannot listen at {HERE}:{point.port}, set MASTER_PORT"):
        meet(0, 2, address=HERE, port=point.port)


def test_one_that_ends_while_the_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    points = [meeting_point()]
    port = points[0].port
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(meet, 1, 2, address=HERE, port=port)
        while not points[0].num_keys() and not waiting.done():  # it says first that it has come
            time.sleep(0.01)
        points.clear()
        with pytest.raises(ValueError, match=rf"^the process that listens at {HERE}:{port}, .* has ended"):
            waiting.result()


def test_steps_of_one_slurm_job_do_not_meet_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have the same port. The second one's first process cannot listen; its others wait for it in vain."""
    point = meeting_point()
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    assert meet(0, 1, address=HERE, port=point.port).check(["process 0 is connected"])
    monkeypatch.setenv("SLURM_STEP_ID", "1")
    with pytest.raises(ValueError, match=r"^process 1 of 2 did not connect"):
        meet(1, 2, address=HERE, port=point.port, patience=0.1)
