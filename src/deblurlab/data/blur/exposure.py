"""An exposure: the mean over time of the light that a moving camera receives from a scene with moving parts.

While the shutter is open, the image of a point moves over the sensor and leaves its light along its path. So the
picture is a sum of warped copies of the sharp one. A blur that varies over the picture costs no more than a uniform
one. Blending a kernel for each part of the picture (Hirsch et al., 2010) would be an approximation, and could not model
occlusion.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from deblurlab.data.arrays import Floats

# The distance between two copies along the longest path, in pixels. Bilinear weights fill the gaps.
_PIXELS_PER_COPY = 1.0

# The pixels that are exposed at a time, in whole rows. The fields of a motion take 48 bytes or more for each of them.
_STRIP = 2**20

_EVERYWHERE = slice(None)


class ElementaryMotions(NamedTuple):
    """Simple motions of a picture, such as a shift and a rotation, from which others are added up.

    Attributes:
        fields: Takes positions of rows, (H,), and of columns, (W,), and returns (J, H, W, 2): how far one unit of each
            of J motions moves a pixel there, across and down, in pixels.
        rows: (H,), the position of each row of the picture.
        columns: (W,), the position of each column.
    """

    fields: Callable[[Tensor, Tensor], Tensor]
    rows: Tensor
    columns: Tensor


class Motion(NamedTuple):
    """A motion of a picture of H rows and W columns: a sum of J elementary motions, with coefficients that change.

    Attributes:
        parts: The elementary motions; J is the number of those of all parts together.
        path: (T, J), the units of each elementary motion at T times, evenly spread over the exposure.
    """

    parts: tuple[ElementaryMotions, ...]
    path: Floats

    def fields(self, rows: slice = _EVERYWHERE, columns: slice = _EVERYWHERE) -> Tensor:
        """The displacement of each pixel, across and down, for one unit of each elementary motion.

        Args:
            rows: The rows, (h,), for which it is computed. The fields of a large picture take more memory than itself.
            columns: The columns, (w,).

        Returns:
            (J, h, w, 2).
        """
        return torch.cat([one.fields(one.rows[rows], one.columns[columns]) for one in self.parts])

    def corners(self) -> Floats:
        """The displacements of the four corners, (T, 4, 2)."""
        height, width = len(self.parts[0].rows), len(self.parts[0].columns)
        ends = self.fields(slice(None, None, height - 1), slice(None, None, width - 1)).flatten(1, 2)
        displacement: Floats = np.einsum("tj,jcd->tcd", self.path, ends.numpy().astype(np.float64))
        return displacement


class Layer(NamedTuple):
    """A part of the scene with its own motion, in front of the layers before it.

    Attributes:
        light: (3, H, W) linear light.
        cover: (1, H, W), the share of each pixel that the layer covers, from 0 to 1; None covers everything.
        motion: The motion of the layer.
    """

    light: Tensor
    cover: Tensor | None
    motion: Motion


def camera_fields(rows: Tensor, columns: Tensor, focal: float) -> Tensor:
    """The motion field of a plane scene for small motions of the camera (Longuet-Higgins and Prazdny, 1980).

    Args:
        rows: (H,), the distance of each row down from the optical axis, in pixels.
        columns: (W,), the distance of each column to the right of it, in pixels.
        focal: The focal length in pixels.

    Returns:
        (6, H, W, 2) for the motions of :func:`deblurlab.data.blur.tremor.tremor`: three rotations and three shifts.
    """
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    zero, f = torch.zeros_like(x), torch.full_like(x, focal)
    pairs = ((x * y / f, f + y * y / f), (f + x * x / f, x * y / f), (-y, x), (f, zero), (zero, f), (x, y))
    return torch.stack([torch.stack(pair, dim=-1) for pair in pairs])


def object_fields(rows: Tensor, columns: Tensor) -> Tensor:
    """The motion fields for :func:`deblurlab.data.blur.tremor.straight`: shifts, rotation and growth about the origin.

    Args:
        rows: (H,), the distance of each row down from the object's centre, in pixels.
        columns: (W,), the distance of each column to the right of it, in pixels.

    Returns:
        (4, H, W, 2).
    """
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return torch.stack([torch.stack(pair, dim=-1) for pair in ((one, zero), (zero, one), (-y, x), (x, y))])


def together(one: Motion, other: Motion) -> Motion:
    """Both motions at once, such as that of the camera and that of an object."""
    return Motion((*one.parts, *other.parts), np.concatenate((one.path, other.path), axis=1))


def exposed(layers: list[Layer]) -> Tensor:
    """The mean of the scene over an exposure.

    Consecutive times between which nothing moves by more than a pixel share one copy, weighted by their duration. So
    slow parts of a path are bright and fast ones faint, and there are about as many copies as the path has pixels.
    Where the path moves by more than a pixel from one of its times to the next, it is interpolated.

    Args:
        layers: The layers from back to front; the first covers everything.

    Returns:
        (3, H, W) light.
    """
    paths, share = _copies([layer.motion for layer in layers])
    height, width = layers[0].light.shape[1:]
    # grid_sample's coordinates go from -1, the first pixel, to 1, the last one
    scale = torch.tensor((2 / (width - 1), 2 / (height - 1)))
    across, down = torch.linspace(-1, 1, width), torch.linspace(-1, 1, height)
    # The light is multiplied by the cover before warping, so that both are warped alike at the soft edge.
    covering = [
        None if layer.cover is None else torch.cat((layer.light * layer.cover, layer.cover)) for layer in layers
    ]
    mean = torch.zeros_like(layers[0].light)
    height_of_strip = max(1, _STRIP // width)
    for top in range(0, height, height_of_strip):
        rows = slice(top, top + height_of_strip)
        still = torch.stack(torch.meshgrid(across, down[rows], indexing="xy"), -1)
        fields = [(layer.motion.fields(rows) * scale).flatten(1) for layer in layers]
        for copy, part in enumerate(share.tolist()):
            grids = [
                torch.addmm(still.view(1, -1), path[copy : copy + 1], field, alpha=-1).view_as(still)
                for path, field in zip(paths, fields, strict=True)
            ]
            scene = _warped(layers[0].light, grids[0])
            for one, grid in zip(covering, grids, strict=True):
                if one is not None:
                    moved = _warped(one, grid)
                    scene = scene * (1 - moved[3:]) + moved[:3]
            mean[:, rows].add_(scene, alpha=part)
    return mean


def _warped(light: Tensor, grid: Tensor) -> Tensor:
    """The light, (C, H, W), of a copy: each pixel takes it from the place in ``grid`` from which it has moved here.

    Args:
        light: (C, H, W).
        grid: (h, w, 2), places in the coordinates of ``grid_sample``.

    Returns:
        (C, h, w).
    """
    return F.grid_sample(light[None], grid[None], mode="bilinear", padding_mode="border", align_corners=True)[0]


def _copies(motions: list[Motion]) -> tuple[list[Tensor], Floats]:
    """The path of each motion at each copy, (copies, J), and each copy's share of the exposure time."""
    steps = _steps(motions)
    if (finer := int(np.ceil(steps.max() / _PIXELS_PER_COPY))) > 1:
        motions = [Motion(motion.parts, _with_more_times(motion.path, finer)) for motion in motions]
        steps = _steps(motions)
    travelled = np.concatenate(([0.0], np.cumsum(steps)))
    count = max(1, int(np.ceil(travelled[-1] / _PIXELS_PER_COPY)))
    number = np.minimum((travelled / max(travelled[-1], 1e-9) * count).astype(np.int64), count - 1)
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    times = np.diff(starts, append=len(number))
    means = [np.add.reduceat(motion.path, starts) / times[:, None] for motion in motions]
    return [torch.from_numpy(mean).float() for mean in means], times / len(number)


def _steps(motions: list[Motion]) -> Floats:
    """How far the corner that moves most moves from each time of the path to the next, (T - 1,), in pixels."""
    corners = np.concatenate([motion.corners() for motion in motions], axis=1)
    steps: Floats = np.linalg.norm(np.diff(corners, axis=0), axis=-1).max(axis=1)
    return steps


def _with_more_times(path: Floats, finer: int) -> Floats:
    """A path, (T, J), at ``finer`` times for each of its times, spread evenly around it: (T finer, J).

    Half of those around the first and the last time lie outside of the path, which is continued straight there. So the
    mean of the path stays where it was.
    """
    continued = np.concatenate((2 * path[:1] - path[1:2], path, 2 * path[-1:] - path[-2:-1]))
    times = (np.arange(len(path) * finer) + 0.5) / finer - 0.5
    return np.stack([np.interp(times, np.arange(-1, len(path) + 1), units) for units in continued.T], axis=1)
