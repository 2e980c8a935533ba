"""Where the processes of a training meet before their first exchange."""

import logging
import os
import socket
import time

from torch.distributed import DistError, PrefixStore, Store, TCPStore  # type: ignore[attr-defined]

log = logging.getLogger(__name__)

_HERE = "127.0.0.1"
# Seconds. Processes start on all hosts at the same time; five minutes are what PyTorch's store waits by itself.
_TOLD, _PATIENCE, _PAUSE = 30.0, 300.0, 0.05


def meeting_point() -> TCPStore:
    """Where the processes of this host meet, at its ``host`` and ``port``. It is there as long as it is kept."""
    return TCPStore(_HERE, 0, None, is_master=True, wait_for_workers=False)


def meet(rank: int, world: int, *, address: str, port: int, patience: float = _PATIENCE) -> Store:
    """Wait until all processes have come.

    PyTorch would wait as long as for an exchange, which may take half an hour. It also writes the stack of its C++ code
    where it waits in vain, so that here Python asks again and again.

    Args:
        rank: The number of this process.
        world: How many there are.
        address: Where they meet. What started them listens there, or else process 0 does.
        port: The port there.
        patience: How long to wait, in seconds.

    Returns:
        The store by which they tell each other how they are reached.

    Raises:
        ValueError: if one of them has not come in time, with its number.
    """
    start, told = time.monotonic(), False
    listens = rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    if not listens:
        _await_listener(address, port, until=start + patience)
    # torchrun may start the processes again, and Slurm several steps of a job, whose port is the same
    turn = "/".join(os.environ.get(name, "") for name in ("TORCHELASTIC_RESTART_COUNT", "SLURM_STEP_ID"))
    try:
        store = PrefixStore(turn, TCPStore(address, port, None, listens, wait_for_workers=False, multi_tenant=True))
        store.set(_key(rank), "")
        while away := [str(other + 1) for other in range(world) if not store.check([_key(other)])]:
            waited, who = time.monotonic() - start, f"process {', '.join(away)} of {world}"
            if waited > patience:
                raise ValueError(
                    f"{who} did not come to {address}:{port} within {patience:.0f} seconds: its own output says why."
                )
            if waited > _TOLD and not told:
                log.info(f"waiting at {address}:{port} for {who}")
                told = True
            time.sleep(_PAUSE)
    except DistError as error:
        if listens:
            raise ValueError(
                f"the first process cannot listen at {address}:{port}, set MASTER_PORT to another port: {error}"
            ) from error
        raise ValueError(
            f"the process that listens at {address}:{port}, where all of them meet, has ended: its own output says why."
        ) from error
    return store


def _key(rank: int) -> str:
    return f"process {rank} has come"


def _await_listener(address: str, port: int, *, until: float) -> None:
    """Wait until something listens at a port."""
    while True:
        try:
            socket.create_connection((address, port), timeout=max(until - time.monotonic(), _PAUSE)).close()
            return
        except OSError as error:
            if time.monotonic() > until:
                raise ValueError(
                    f"{address}:{port}, where the processes meet, cannot be reached: {error}. If the first process has "
                    "started there, its own output says why; else set MASTER_ADDR and MASTER_PORT to its host and port."
                ) from error
        time.sleep(_PAUSE)
