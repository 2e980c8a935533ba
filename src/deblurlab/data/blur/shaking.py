"""Pictures taken by a shaking camera, of a scene in which an object may move."""

from collections.abc import Callable
from functools import partial

import numpy as np
from torch import Tensor

from deblurlab.data.arrays import Floats
from deblurlab.data.blur.exposure import (
    ElementaryMotions,
    Layer,
    Motion,
    camera_fields,
    exposed,
    object_fields,
    together,
)
from deblurlab.data.blur.masks import blob
from deblurlab.data.blur.ranges import log_uniform
from deblurlab.data.blur.tremor import straight, tremor
from deblurlab.data.blur.windows import Window, trimmed

_EXPOSURE_SECONDS = (1 / 60, 1 / 2)
# The focal length divided by the picture's longer side: 25 to 58 millimetres for a sensor of 36 millimetres.
_FOCAL = (0.7, 1.6)
# The weight of the camera's shifts relative to its rotations, from a far scene to a near one.
_NEARNESS = (0.0, 0.5)


class Camera:
    """The random motion of a camera during one exposure.

    Args:
        size: Height and width of the whole picture. The optical axis goes through its middle.
        length: The larger side of the bounding box of the path that a point of light draws, in pixels, in the corner of
            the picture where it is largest.
        rng: The random number generator.
    """

    def __init__(self, size: tuple[int, int], length: float, rng: np.random.Generator) -> None:
        self.axis = ((size[0] - 1) / 2, (size[1] - 1) / 2)
        self.focal = max(size) * log_uniform(_FOCAL, rng)
        path = tremor(log_uniform(_EXPOSURE_SECONDS, rng), nearness=rng.uniform(*_NEARNESS), rng=rng)
        corners = self._motion(path, *Window(0, 0, *size).ends(self.axis)).corners()
        self.path: Floats = path * (length / np.ptp(corners, axis=0).max())

    def motion(self, window: Window) -> Motion:
        """The motion that the camera causes in a window."""
        return self._motion(self.path, *window.positions(self.axis))

    def reach(self, window: Window) -> float:
        """The largest displacement of a corner of a window, in pixels."""
        return _reach(self._motion(self.path, *window.ends(self.axis)))

    def _motion(self, path: Floats, rows: Tensor, columns: Tensor) -> Motion:
        """The motion of a picture whose rows and columns have these distances from the optical axis."""
        return Motion((ElementaryMotions(partial(camera_fields, focal=self.focal), rows, columns),), path)


def _reach(motion: Motion) -> float:
    return float(np.abs(motion.corners()).max())


def shaken(seen: Callable[[Window], Tensor], window: Window, camera: Camera) -> Tensor:
    """The light that a shaken camera receives in a window.

    Args:
        seen: Returns the sharp light of any window, (3, H, W).
        window: The part of the picture.
        camera: The motion of the camera.

    Returns:
        (3, height, width).
    """
    margin = int(np.ceil(camera.reach(window))) + 1
    wide = window.wider(margin)
    return trimmed(exposed([Layer(seen(wide), None, camera.motion(wide))]), margin)


def with_moving_object(
    seen: Callable[[Window], Tensor], window: Window, camera: Camera, length: float, rng: np.random.Generator
) -> Tensor:
    """The light that a shaken camera receives in a window in which an object moves.

    The object is a part of the picture with a soft edge, and moves in front of the picture.

    Args:
        seen: Returns the sharp light of any window, (3, H, W).
        window: The part of the picture.
        camera: The motion of the camera.
        length: The length of the object's path, in pixels.
        rng: The random number generator, for the outline and the direction.

    Returns:
        (3, height, width).
    """
    radius = min(window.height, window.width) * rng.uniform(0.15, 0.45)
    centre = (window.top + window.height * rng.random(), window.left + window.width * rng.random())
    path = straight(length, rng=rng)
    own = Motion((ElementaryMotions(object_fields, *window.ends(centre)),), path)
    margin = int(np.ceil(camera.reach(window) + _reach(own))) + 1
    wide = window.wider(margin)
    positions = wide.positions(centre)
    light, motion = seen(wide), camera.motion(wide)
    moving = together(motion, Motion((ElementaryMotions(object_fields, *positions),), path))
    return trimmed(exposed([Layer(light, None, motion), Layer(light, blob(*positions, radius, rng), moving)]), margin)
