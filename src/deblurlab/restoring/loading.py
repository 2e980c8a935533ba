"""From the name of weights to a network that restores images."""

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

    What a weights file or the configuration in a run's folder names is checked before anything is built, whoever made
    it. Checkpoints are another matter: take those of your own runs only (SECURITY.md tells why), and of a stranger's
    folder take its ``weights.safetensors``.

    Args:
        weights: The name of weights that come with deblurlab ("photographs", "cifar10_unet16"), a weights file, a
            run's folder (of which the best weights are taken), or a checkpoint in a run's folder. Or weights that
            :func:`deblurlab.run.weights.load` has read.
        device: Where the network is to run; "auto" takes the best device of this machine, as ``trainer=auto``.
        trust: Names of packages of your own whose networks a run's folder may name, as ``["mynet"]``. Their code is
            imported and run.
        window: The side, in pixels, of the window over which a network such as NAFNet takes its means; None takes what
            the weights say.

    Raises:
        ValueError: if there are no such weights, the file is damaged or of an unknown network, it names what is not
            trusted, or the network does not take a window.
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
    """Have a network take its means over a window.

    Raises:
        ValueError: if the network takes no means over the image, or the window is no positive number of pixels.
    """
    if not isinstance(network, LocalMeans):
        raise ValueError(
            f"window={window}: {type(network).__name__} takes no means over the image as NAFNet does: leave window out."
        )
    network.window = window
