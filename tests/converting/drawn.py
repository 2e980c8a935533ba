"""The numbers of the test networks, drawn alike with and without TensorFlow: this file needs NumPy alone."""

from typing import Any

import numpy as np
import numpy.typing as npt

SIDE = 16  # of the image, in pixels


def image() -> npt.NDArray[np.float32]:
    """One image, (1, SIDE, SIDE, 3) in [0, 1]."""
    return np.random.RandomState(0).rand(1, SIDE, SIDE, 3).astype(np.float32)


def weight(index: int, name: str, shape: tuple[int, ...]) -> Any:
    """The weight that Keras counts as ``index`` in a network; features stay about 1."""
    random = np.random.RandomState(index)
    if name == "kernel":
        drawn = random.randn(*shape) / np.sqrt(np.prod(shape[:-1]))
    elif name == "moving_variance":
        drawn = random.uniform(0.5, 1.5, shape)
    else:
        drawn = (name == "gamma") + 0.1 * random.randn(*shape)
    return drawn.astype(np.float32)
