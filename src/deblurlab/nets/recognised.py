"""Recognises the network that published weights belong to, from the names and shapes of the tensors."""

import re
from collections.abc import Mapping
from typing import Any

import torch

from deblurlab.nets import published

Shapes = Mapping[str, tuple[int, ...]]

# The names that are recognised, for messages.
EXPECTED = (
    "NAFNet's, such as intro.weight, encoders.0.0.conv1.weight, middle_blks.0.beta and ending.weight; FFTformer's, if "
    "spandrel is installed; and those of Restormer, MPRNet and M3SNet, if spandrel_extra_arches is installed"
)

# M3SNet has NAFNet's names, too, except for those of the blocks in the middle.
_NAFNETS_MIDDLE = re.compile(r"middle_blks\.\d+\.conv1\.")


def configuration_of(shapes: Shapes) -> dict[str, Any] | None:
    """The configuration (``_target_`` and arguments) of the network that tensors belong to; None if it is unknown.

    The names decide the kind of network, the shapes its sizes. The caller has to check that all tensors are there and
    fit, by building the network.

    Published networks are built to see their arguments. Names and shapes can make them large, so call this function
    within :func:`deblurlab.run.sketch.sketch`, which limits them and allocates no tensors.

    Args:
        shapes: The shapes of parameters and buffers, by name.
    """
    return _nafnet(shapes) or _published(shapes)


def _nafnet(shapes: Shapes) -> dict[str, Any] | None:
    intro = shapes.get("intro.weight", ())
    if len(intro) != 4 or "ending.weight" not in shapes or not any(map(_NAFNETS_MIDDLE.match, shapes)):
        return None
    levels = range(_count(shapes, "downs"))
    return {
        "_target_": "deblurlab.nets.NAFNet",
        "width": intro[0],
        "encoder_blocks": [_count(shapes, f"encoders.{level}") for level in levels],
        "middle_blocks": _count(shapes, "middle_blks"),
        "decoder_blocks": [_count(shapes, f"decoders.{level}") for level in levels],
    }


def _published(shapes: Shapes) -> dict[str, Any] | None:
    state = {name: torch.empty(shape) for name, shape in shapes.items()}
    for name in published.NAMES:
        try:
            architecture = published.architecture(name)
        except published.MissingPackageError:
            continue
        if architecture.detect(state):
            try:
                network = architecture.load(state).model
            except Exception:  # whatever an incomplete set of tensors brings about in spandrel's code
                return None
            return {"_target_": f"deblurlab.nets.{name}", **network.hyperparameters}
    return None


def _count(shapes: Shapes, prefix: str) -> int:
    """The length of a ModuleList: how many different numbers follow its prefix in the names."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
    return len({found[1] for name in shapes if (found := pattern.match(name))})
