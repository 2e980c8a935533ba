"""Loggers in addition to Lightning's own: dashboards that people watch."""

from deblurlab.loggers.tensorboard import TensorBoard
from deblurlab.loggers.wandb import Wandb

__all__ = ["TensorBoard", "Wandb"]
