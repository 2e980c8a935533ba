"""The files of a run: its folder, checkpoints, weights, history, scores and pictures.

From Python, open a run with :func:`open_run`::

    run = open_run("outputs/cifar10_unet16/2026-11-22_23-19-00")
    print(run.config.model.optimizer, run.history[-1], run.scores["restored"]["ssim"])
"""

from deblurlab.run.opened_run import OpenedRun, open_run

__all__ = ["OpenedRun", "open_run"]
