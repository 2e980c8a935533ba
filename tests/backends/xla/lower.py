"""Writes the HLO of a training step: ``python -m tests.backends.xla.lower FILE OVERRIDE...``, a process of its own.

It prints how many graphs XLA had compiled when the step was traced, and how many when the trainer had ended.
"""

import json
import sys
from functools import partial
from pathlib import Path

from torch import Tensor

from deblurlab.app import build
from deblurlab.backends.xla import trace
from deblurlab.backends.xla.counters import compiled
from tests.composing import configuration


def lower(results: list[Tensor]) -> tuple[str, int]:
    return trace.readable(results), compiled()[0]


if __name__ == "__main__":
    file, *overrides = sys.argv[1:]
    cfg = configuration("plan", *overrides)
    hlo, graphs = trace.training_step(partial(build.trainer, cfg), build.task(cfg), build.data(cfg), lower)
    Path(file).write_text(hlo)
    print(json.dumps([graphs, compiled()[0]]))
