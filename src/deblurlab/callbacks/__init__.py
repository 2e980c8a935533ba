"""Lightning callbacks: the history of epochs, pictures, progress, checkpoints, and checks of the training."""

from deblurlab.callbacks.compile_network import CompileNetwork
from deblurlab.callbacks.divergence import Divergence
from deblurlab.callbacks.ema import EMA
from deblurlab.callbacks.epoch_history import History
from deblurlab.callbacks.first_step import FirstStep
from deblurlab.callbacks.leave_on_signal import LeaveOnSignal
from deblurlab.callbacks.panel import Panel
from deblurlab.callbacks.per_image import PerImage
from deblurlab.callbacks.progress import Progress
from deblurlab.callbacks.step_profiler import StepProfiler
from deblurlab.callbacks.timed_checkpoint import TimedCheckpoint

__all__ = [
    "EMA",
    "CompileNetwork",
    "Divergence",
    "FirstStep",
    "History",
    "LeaveOnSignal",
    "Panel",
    "PerImage",
    "Progress",
    "StepProfiler",
    "TimedCheckpoint",
]
