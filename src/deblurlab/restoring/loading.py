"""Loads a network that restores images, from the name of its weights."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from deblurlab import backends
from deblurlab.interfaces import LocalMeans
from deblurlab.restoring.restorer import Restorer
from deblurlab.run import trusted
from deblurlab.run.network import build_network
from deblurlab.run.weights import Weights, load


def load_restorer(
    weights: str | Path | Weights,
    *,
    device: torch.device | str = "auto",
    trust: Sequence[str] = (),
    window: int | None = None,
) -> Restorer:
    """Load a trained network, ready to restore.

    The classes that a weights file or the configuration in a run's folder names are checked before anything is built,
    so that both may come from strangers. Checkpoints may not: load those of your own runs only (see SECURITY.md), and
    from a stranger's folder load its ``weights.safetensors``.

    Args:
        weights: The name of weights that come with deblurlab ("photographs", "cifar10_unet16"), a weights file, a
            run's folder (whose best weights are loaded), or a checkpoint in a run's folder. Or weights that
            :func:`deblurlab.run.weights.load` has read.
        device: The device of the network; "auto" uses the best device of this machine, like ``trainer=auto``.
        trust: Names of your own packages whose networks a run's folder may name, such as ``["mynet"]``. Their code is
            imported and run.
        window: The side, in pixels, of the window over which a network such as NAFNet takes its means; None uses the
            window in the weights' configuration.

    Raises:
        ValueError: If there are no such weights, the file is damaged or of an unknown network, it names a class that is
            not trusted, or the network does not take a window.
    """
    chosen = weights if isinstance(weights, Weights) else load(str(weights))
    network = build_network(chosen, trust=trusted.packages(trust))
    if window is not None:
        set_window(network, window)
    restorer = Restorer(network).eval()
    if device == "auto":
        backend = backends.choose("auto")
        backend.prepare(restorer)
        device = backend.device("auto")
    return restorer.to(device)


def set_window(network: nn.Module, window: int) -> None:
    """Set the window, in pixels, over which a network takes its means.

    Raises:
        ValueError: If the network takes no means over the image, or the window is not a positive number.
    """
    if not isinstance(network, LocalMeans):
        raise ValueError(
            f"window={window}: {type(network).__name__} takes no means over the image as NAFNet does: leave window out."
        )
    network.window = window
