"""From the name of weights to a network that restores images."""

from collections.abc import Sequence
from pathlib import Path

import torch

from deblurlab import backends
from deblurlab.restoring.restorer import Restorer
from deblurlab.run import trusted
from deblurlab.run.network import build_network
from deblurlab.run.weights import Weights, load


def load_restorer(
    weights: str | Path | Weights, *, device: torch.device | str = "auto", trust: Sequence[str] = ()
) -> Restorer:
    """Load a trained network, ready to restore.

    What a weights file or the configuration in a run's folder names is checked before anything is built, whoever made
    it. Checkpoints are another matter: take those of your own runs only (SECURITY.md tells why), and of a stranger's
    folder take its ``weights.safetensors``.

    Args:
        weights: The name of weights that come with deblurlab ("photographs", "cifar10_unet16"), a safetensors file, a
            run's folder (of which the best weights are taken), or a checkpoint in a run's folder. Or weights that
            :func:`deblurlab.run.weights.load` has read.
        device: Where the network is to run; "auto" takes the best device of this machine, as ``trainer=auto``.
        trust: Names of packages of your own whose networks a run's folder may name, as ``["mynet"]``. Their code is
            imported and run.

    Raises:
        ValueError: if there are no such weights, the file is damaged or not of deblurlab, or it names what is not
            trusted.
    """
    chosen = weights if isinstance(weights, Weights) else load(str(weights))
    network = build_network(chosen, trust=trusted.packages(trust))
    restorer = Restorer(network).eval()
    if device == "auto":
        backend = backends.choose("auto")
        backend.prepare(restorer)
        device = backend.device("auto")
    return restorer.to(device)
