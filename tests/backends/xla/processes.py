"""Modules and commands in processes of their own: a process has one XLA runtime."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import HANG_SECONDS

REPOSITORY = Path(__file__).parents[3]
# Compiles twenty times faster, computes the same.
QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


def environment() -> dict[str, str]:
    """The variables of a process that imports this checkout and compiles quickly."""
    return os.environ | {"PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}", "XLA_FLAGS": QUICK}


def run_module(name: str, *arguments: str, timeout: float = HANG_SECONDS) -> subprocess.CompletedProcess[str]:
    """``python -m NAME ARGUMENTS``, finished, whatever its status."""
    return subprocess.run(
        [sys.executable, "-m", name, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
