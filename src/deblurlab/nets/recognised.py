"""Recognises the network of published weights from the names and shapes of their tensors."""

import re
from collections.abc import Mapping
from typing import Any

from deblurlab.nets import published

Shapes = Mapping[str, tuple[int, ...]]

# What a message says of the names that are looked for.
EXPECTED = (
    "NAFNet's, such as intro.weight, encoders.0.0.conv1.weight, middle_blks.0.beta and ending.weight; FFTformer's, if "
    "spandrel is installed; and those of Restormer, MPRNet and M3SNet, if spandrel_extra_arches is installed"
)

# M3SNet has other blocks in the middle, and the same names elsewhere.
_IN_MIDDLE = re.compile(r"middle_blks\.\d+\.conv1\.")


def recognised(shapes: Shapes) -> dict[str, Any] | None:
    """The configuration of the network that tensors belong to, ``_target_`` and its arguments; None if it is unknown.

    The names alone decide which kind of network it is. Whether all tensors are there, and fit, must be checked by the
    caller, with the network of this configuration.

    Call it within :func:`deblurlab.run.sketch.sketch`, since published networks are built to be recognised.

    Args:
        shapes: The shapes of parameters and buffers, by name.
    """
    return _nafnet(shapes) or published.recognised(shapes)


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
    """How many numbers follow a prefix in the names: a list of modules has as many."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
    return len({found[1] for name in shapes if (found := pattern.match(name))})
