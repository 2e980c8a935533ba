"""``trainer.keep_memory``, in processes of their own: the setting is the whole process's."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import HANG_SECONDS

pytest.importorskip("resource", reason="the system counts no page faults")

PROGRAM = """
import resource, sys
from pathlib import Path
import torch
from hydra import compose, initialize_config_dir
import deblurlab.app.command
from deblurlab.app import build

with initialize_config_dir(str(Path(deblurlab.__file__).parent / "conf"), version_base="1.3"):
    build.trainer(compose("train", ["trainer=cpu", "logger=none", "run=run", *sys.argv[1:]]))

def faults(steps):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(steps):
        torch.ones(16, 2**20)  # 64 MiB, twice what glibc keeps by itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(30)  # the heap settles
print(faults(10) / (64 * 2**20 // resource.getpagesize()))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_a_step_gets_the_memory_again_that_the_last_one_freed(tmp_path: Path) -> None:
    def clearings(*overrides: str) -> float:
        """How often ten steps let the system clear all pages of a tensor."""
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *overrides],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return float(done.stdout.splitlines()[-1])

    assert clearings() < 1
    assert clearings("trainer.keep_memory=false") > 9
