"""Recognises the network that published weights belong to, from the names and shapes of the tensors."""

import re
from collections.abc import Mapping
from typing import Any

from deblurlab.nets import published

Shapes = Mapping[str, tuple[int, ...]]

# The names that are recognised, for messages.
EXPECTED = (
    "NAFNet's, such as intro.weight, encoders.0.0.conv1.weight, middle_blks.0.beta and ending.weight; FFTformer's, if "
    "spandrel is installed; and those of Restormer, MPRNet and M3SNet, if spandrel_extra_arches is installed"
)

# M3SNet has other blocks in the middle, and the same names elsewhere.
_IN_MIDDLE = re.compile(r"middle_blks\.\d+\.conv1\.")


def configuration_of(shapes: Shapes) -> dict[str, Any] | None:
    """The configuration (``_target_`` and arguments) of the network that tensors belong to; None if it is unknown.

    The names decide the kind of network, the shapes its sizes. The caller has to check that all tensors are there and
    fit, by building the network.

    Call it within :func:`deblurlab.run.sketch.sketch`, since published networks are built to be recognised.

    Args:
        shapes: The shapes of parameters and buffers, by name.
    """
    return _nafnet(shapes) or published.configuration_of(shapes)


def _nafnet(shapes: Shapes) -> dict[str, Any] | None:
    intro = shapes.get("intro.weight", ())
    if len(intro) != 4 or "ending.weight" not in shapes or not any(map(_IN_MIDDLE.match, shapes)):
        return None
    levels = range(_count(shapes, "downs"))
    return {
        "_target_": "deblurlab.nets.NAFNet",
        "width": intro[0],
        "encoder_blocks": [_count(shapes, f"encoders.{level}") for level in levels],
        "middle_blocks": _count(shapes, "middle_blks"),
        "decoder_blocks": [_count(shapes, f"decoders.{level}") for level in levels],
    }


def _count(shapes: Shapes, prefix: str) -> int:
    """The length of a ModuleList: how many different numbers follow its prefix in the names."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
    return len({found[1] for name in shapes if (found := pattern.match(name))})
