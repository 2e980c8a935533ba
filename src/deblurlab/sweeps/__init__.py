"""Sweeps: many runs from one command. Imports nothing heavy, because Hydra loads :class:`Summary` in each command."""

from deblurlab.sweeps.job import run_job
from deblurlab.sweeps.summary import Summary

__all__ = ["Summary", "run_job"]
