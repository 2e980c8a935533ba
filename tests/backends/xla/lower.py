"""Writes the HLO of a training step: ``python -m tests.backends.xla.lower FILE OVERRIDE...``, a process of its own."""

import sys
from pathlib import Path

from hydra import compose, initialize_config_dir

import deblurlab
from deblurlab.app import build
from deblurlab.backends.xla import trace

if __name__ == "__main__":
    file, *overrides = sys.argv[1:]
    folder = Path(deblurlab.__file__).parent / "conf"
    with initialize_config_dir(str(folder), version_base="1.3"):
        cfg = compose("plan", overrides)
    Path(file).write_text(trace.training_step(build.trainer(cfg), build.task(cfg), build.data(cfg), trace.readable))
