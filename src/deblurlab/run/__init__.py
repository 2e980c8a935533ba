"""What a run leaves on disk: its folder, checkpoints, weights, history, scores and pictures.

From Python, :func:`open_run` is the way in::

    run = open_run("outputs/cifar10_unet16/2026-11-22_23-19-00")
    print(run.config.model.optimizer, run.history[-1], run.scores["restored"]["ssim"])
"""

from deblurlab.run.opened_run import OpenedRun, open_run

__all__ = ["OpenedRun", "open_run"]
