"""A picture taken by a camera that shakes, of a scene in which objects may move."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from deblurlab.data.arrays import Floats
from deblurlab.data.blur.exposure import Layer, Motion, camera_fields, exposed, object_fields, together
from deblurlab.data.blur.masks import blob
from deblurlab.data.blur.ranges import log_uniform
from deblurlab.data.blur.tremor import straight, tremor
from deblurlab.data.blur.windows import Window, trimmed

_EXPOSURE_SECONDS = (1 / 60, 1 / 2)
# The focal length over the picture's longer side: from 25 to 58 millimetres where the sensor has 36.
_FOCAL = (0.7, 1.6)
# How much the camera's shifts count beside its turns: from a far scene to a near one.
_NEARNESS = (0.0, 0.5)


class Camera:
    """A camera that is shaken during one exposure, drawn at random.

    Args:
        size: Height and width of the whole picture. The optical axis goes through its middle.
        length: The larger side of the bounding box of the path that a point of light draws, in pixels, in that corner
            of the picture where it is largest.
        rng: Where the random numbers come from.
    """

    def __init__(self, size: tuple[int, int], length: float, rng: np.random.Generator) -> None:
        self.axis = ((size[0] - 1) / 2, (size[1] - 1) / 2)
        self.focal = max(size) * log_uniform(_FOCAL, rng)
        path = tremor(log_uniform(_EXPOSURE_SECONDS, rng), nearness=rng.uniform(*_NEARNESS), rng=rng)
        corners = Motion(camera_fields(*Window(0, 0, *size).ends(self.axis), self.focal), path).corners()
        self.path: Floats = path * (length / np.ptp(corners, axis=0).max())

    def motion(self, window: Window) -> Motion:
        """How the camera moves the picture of a window."""
        return Motion(camera_fields(*window.places(self.axis), self.focal), self.path)

    def reach(self, window: Window) -> float:
        """How far the camera moves a corner of a window, in pixels."""
        return _reach(Motion(camera_fields(*window.ends(self.axis), self.focal), self.path))


def _reach(motion: Motion) -> float:
    return float(np.abs(motion.corners()).max())


def shaken(seen: Callable[[Window], Tensor], window: Window, camera: Camera) -> Tensor:
    """What a shaken camera takes of a window.

    Args:
        seen: Gives the sharp light of any window, (3, H, W).
        window: The part of the picture.
        camera: How it shakes.
    """
    margin = int(np.ceil(camera.reach(window))) + 1
    wide = window.wider(margin)
    return trimmed(exposed([Layer(seen(wide), None, camera.motion(wide))]), margin)


def with_moving_object(
    seen: Callable[[Window], Tensor], window: Window, camera: Camera, length: float, rng: np.random.Generator
) -> Tensor:
    """What a shaken camera takes of a window in which an object moves.

    The object is cut out of the picture with a soft edge, and moves before what the picture shows.

    Args:
        seen: Gives the sharp light of any window, (3, H, W).
        window: The part of the picture.
        camera: How it shakes.
        length: How far the object moves, in pixels.
        rng: Where the outline and the direction come from.
    """
    radius = min(window.height, window.width) * rng.uniform(0.15, 0.45)
    centre = (window.top + window.height * rng.random(), window.left + window.width * rng.random())
    path = straight(length, rng=rng)
    own = Motion(object_fields(*window.ends(centre)), path)
    margin = int(np.ceil(camera.reach(window) + _reach(own))) + 1
    wide = window.wider(margin)
    places = wide.places(centre)
    light, motion = seen(wide), camera.motion(wide)
    moving = together(motion, Motion(object_fields(*places), path))
    return trimmed(exposed([Layer(light, None, motion), Layer(light, blob(*places, radius, rng), moving)]), margin)
