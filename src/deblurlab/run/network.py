"""Builds a trained network from the description in its weights, which a stranger may have made.

The description has the form of Hydra's configurations: ``_target_`` is the class, the other keys are its arguments. It
is already composed, so Hydra is not needed to build it.
"""

from collections.abc import Sequence
from functools import partial
from pkgutil import resolve_name
from typing import Any

from torch import nn

from deblurlab.run import trusted
from deblurlab.run.sketch import sketch
from deblurlab.run.weights import Weights, fill, require_fit

_HYDRAS_KEYS = ("_target_", "_args_", "_partial_", "_convert_")


def build_network(weights: Weights, *, trust: Sequence[str] = ()) -> nn.Module:
    """Build the network that weights belong to, and load them into it.

    Args:
        weights: The weights. Their whole configuration is checked before any part of it is built.
        trust: Names of packages whose classes the configuration may name. With any, the size of the network is not
            checked before it is built.

    Returns:
        The network on the CPU, in evaluation mode; its parameters do not require gradients.

    Raises:
        ValueError: If the configuration names a class that is not trusted, if a class refuses its arguments, or if the
            weights do not fit the network.
    """

    def build() -> nn.Module:
        try:
            network: nn.Module = built(weights.network)
        except Exception as error:  # whatever the constructor of a class raises
            raise ValueError(f"{weights.source}: its network cannot be built: {error}") from error
        return network

    trusted.check(weights.config, trust=trust, source=str(weights.source))
    if not trust:
        require_fit(sketch(build, tensors=len(weights.shapes)), weights)
    network = build()
    fill(network, weights)
    return network.eval().requires_grad_(False)


def built(value: Any) -> Any:
    """The object that a plain configuration describes, as Hydra's ``instantiate`` would make it.

    Args:
        value: Mappings and lists of plain values. A mapping with ``_target_`` becomes an object of that class, or with
            ``_partial_`` a function that makes one; ``_args_`` are its positional arguments. Other mappings, lists and
            values stay what they are.
    """
    if isinstance(value, list):
        return [built(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: built(one) for name, one in value.items()}
    if "_target_" not in made:
        return made
    arguments = {name: one for name, one in made.items() if name not in _HYDRAS_KEYS}
    make = partial(resolve_name(made["_target_"]), *made.get("_args_", ()), **arguments)
    return make if made.get("_partial_") else make()
