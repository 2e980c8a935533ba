"""Connects the processes of a training before their first exchange."""

import logging
import os
import socket
import time

from torch.distributed import DistError, PrefixStore, Store, TCPStore  # type: ignore[attr-defined]

log = logging.getLogger(__name__)

_HERE = "127.0.0.1"
# Seconds: the time until a log line, the time until an error (PyTorch's default), and the pause between checks.
_LOG_AFTER, _PATIENCE, _PAUSE = 30.0, 300.0, 0.05


def meeting_point() -> TCPStore:
    """A store at whose ``host`` and ``port`` the processes of this host meet. It listens while it is referenced."""
    return TCPStore(_HERE, 0, None, is_master=True, wait_for_workers=False)


def meet(rank: int, world: int, *, address: str, port: int, patience: float = _PATIENCE) -> Store:
    """Wait until all processes are connected.

    PyTorch would wait as long as for any exchange, half an hour, and print a stack of C++ code when it gives up.
    Therefore Python polls here.

    Args:
        rank: The number of this process, from 0.
        world: The number of processes.
        address: The address at which they meet. The program that started them listens there, or else process 0.
        port: The port at that address.
        patience: The longest time to wait, in seconds.

    Returns:
        The store through which torch.distributed exchanges the addresses of the processes.

    Raises:
        ValueError: If some processes do not connect in time; the message has their numbers.
    """
    start, logged = time.monotonic(), False
    listens = rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    if not listens:
        _await_listener(address, port, until=start + patience)
    # a prefix for each start: torchrun may restart the processes, and Slurm start several steps with the same port
    prefix = "/".join(os.environ.get(name, "") for name in ("TORCHELASTIC_RESTART_COUNT", "SLURM_STEP_ID"))
    try:
        store = PrefixStore(prefix, TCPStore(address, port, None, listens, wait_for_workers=False, multi_tenant=True))
        store.set(_key(rank), "")
        while missing := [str(other + 1) for other in range(world) if not store.check([_key(other)])]:
            waited, who = time.monotonic() - start, f"process {', '.join(missing)} of {world}"
            if waited > patience:
                raise ValueError(
                    f"{who} did not connect to {address}:{port} within {patience:.0f} seconds: its own output says why."
                )
            if waited > _LOG_AFTER and not logged:
                log.info(f"waiting at {address}:{port} for {who}")
                logged = True
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
    return f"process {rank} is connected"


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
