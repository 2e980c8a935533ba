"""Loggers beside Lightning's own."""

from deblurlab.loggers.wandb import Wandb

__all__ = ["Wandb"]
