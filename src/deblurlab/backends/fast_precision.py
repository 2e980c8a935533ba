"""Finds out which precision trains faster on a device: bfloat16 autocast or float32."""

import json
import logging
import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from deblurlab.files.whole_file import write_whole_json

log = logging.getLogger(__name__)

_WORTH_IT = 1.2  # the least speed-up over float32: less is within the measurement's noise, and float32 is more exact
_CACHE = Path("~/.cache/deblurlab/precision.json")


def fast_precision(device_type: str) -> str:
    """``bf16-mixed`` if a type of device trains faster with bfloat16 autocast than in float32, else ``32-true``.

    For GPUs of NVIDIA and AMD their compute capability decides. The CPU is measured, because its instruction set and
    the version of PyTorch do not decide it: the same bfloat16 convolutions are twice as fast in one version of PyTorch
    and slower in the next.

    Args:
        device_type: ``cpu``, ``cuda`` or ``mps``; this machine must have it.
    """
    if device_type == "cpu":
        fast = cpu_speedup(_CACHE.expanduser()) > _WORTH_IT
    else:
        fast = device_type == "cuda" and torch.cuda.get_device_capability() >= (8, 0)  # Ampere and later
    return "bf16-mixed" if fast else "32-true"


def cpu_speedup(cache: Path) -> float:
    """The speed of bfloat16 autocast relative to float32 on this CPU.

    Args:
        cache: A file that stores the result for this machine, version of PyTorch and number of threads, so that all
            runs on a machine train in the same precision. If it cannot be read or written, each process measures again.
    """
    machine = f"{platform.node()}, {_processor()}, torch {torch.__version__}, {torch.get_num_threads()} threads"
    known = _read(cache)
    if machine not in known:
        known[machine] = round(measured_speedup(), 3)
        log.debug("bfloat16 trains %.2f times as fast as float32 here, by a short measurement.", known[machine])
        try:
            write_whole_json(cache, known)
        except OSError as error:
            log.debug("%s cannot be written: %s.", cache, error)
    return known[machine]


def _read(cache: Path) -> dict[str, float]:
    try:
        known = json.loads(cache.read_text(encoding="utf-8"))
        return {machine: float(speedup) for machine, speedup in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def measured_speedup(clock: Callable[[], float] = time.perf_counter) -> float:
    """Time the forward and backward pass of a convolution with 64 channels, in float32 and in bfloat16 autocast.

    The two alternate, and the fastest of several steps of each counts, so that other work on the machine affects both
    alike and little. It takes some tens of milliseconds, or a few hundred if bfloat16 is emulated.

    Returns:
        The time in float32 over the time in bfloat16.
    """
    with torch.random.fork_rng(devices=[]):
        layer = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        images = torch.rand(4, 64, 32, 32).contiguous(memory_format=torch.channels_last)
    fastest = {False: float("inf"), True: float("inf")}
    for _ in range(4):  # the first of each builds kernels and is the slowest
        for bfloat16 in fastest:
            begin = clock()
            with torch.set_grad_enabled(True), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                layer(images).float().sum().backward()
            fastest[bfloat16] = min(fastest[bfloat16], clock() - begin)
    return fastest[False] / fastest[True]


def _processor() -> str:
    """The name of the CPU's model; that of Python's ``platform`` is empty on many Linux systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
