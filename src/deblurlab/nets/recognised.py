"""Recognises the network of published weights from the names and shapes of their tensors."""

import re
from collections.abc import Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]

# What a message tells of the names that are looked for.
EXPECTED = "NAFNet's, such as intro.weight, encoders.0.0.conv1.weight, middle_blks.0.beta and ending.weight"


def recognised(shapes: Shapes) -> dict[str, Any] | None:
    """The configuration of the network that tensors belong to, ``_target_`` and its arguments; None if it is unknown.

    The names alone decide which kind of network it is. Whether all tensors are there, and fit, is for the caller to
    see, with the network of this configuration.

    Args:
        shapes: The shapes of parameters and buffers, by name.
    """
    intro = shapes.get("intro.weight", ())
    if len(intro) != 4 or "ending.weight" not in shapes or not any(name.startswith("middle_blks.") for name in shapes):
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
