"""A trained network, built again from what its weights say of it, by people who may not be trusted."""

from collections.abc import Sequence

from hydra.utils import instantiate
from torch import nn

from deblurlab.run import trusted
from deblurlab.run.sketch import sketch
from deblurlab.run.weights import Weights, fill, require_fit


def build_network(weights: Weights, *, trust: Sequence[str] = ()) -> nn.Module:
    """Build the network that weights belong to, and put them into it.

    Args:
        weights: What they say of their network is checked as a whole before any of it is built.
        trust: Names of packages whose classes the configuration may name. If there are any, the network may also be
            much larger than its weights.

    Returns:
        The network on the CPU, in evaluation mode; its parameters take no gradients.

    Raises:
        ValueError: if the configuration names what it may not, or the weights do not fit the network that it names.
    """

    def build() -> nn.Module:
        network: nn.Module = instantiate(weights.network, _convert_="all")
        return network

    trusted.check(weights.config, trust=trust, source=str(weights.source))
    if not trust:
        require_fit(sketch(build, tensors=len(weights.shapes)), weights)
    network = build()
    fill(network, weights)
    return network.eval().requires_grad_(False)
