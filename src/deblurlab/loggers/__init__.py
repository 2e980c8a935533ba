"""Loggers in addition to Lightning's own: dashboards with pictures and tables."""

from deblurlab.loggers.tensorboard import TensorBoard
from deblurlab.loggers.wandb import Wandb

__all__ = ["TensorBoard", "Wandb"]
