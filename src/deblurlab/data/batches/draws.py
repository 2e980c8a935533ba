"""The batches of an epoch of images in memory: the order of the images, and how each is blurred and flipped."""

from typing import NamedTuple

import numpy as np

from deblurlab.data.arrays import Booleans, Floats, Integers
from deblurlab.data.batches.crops import crop_places, transposes


class BatchDraw(NamedTuple):
    """The draw of one batch of B images.

    Attributes:
        images: (B,), the indices of the images.
        sigma: (B,), the standard deviations of their Gaussian blur, in pixels.
        flips: (B, 2) or (B, 3), see :func:`deblurlab.data.batches.flips.flip`.
        valid: (B,), False for rows that only fill up the batch.
        places: (B, 2), the places of random crops, see :func:`deblurlab.data.batches.crops.crop_places`.
        side: The side of random crops in pixels; None leaves the images whole.
    """

    images: Integers
    sigma: Floats
    flips: Booleans
    valid: Booleans
    places: Floats
    side: int | None = None

    def rows(self, part: slice) -> "BatchDraw":
        """The draw of some rows of the batch."""
        places = self.places[part]
        return BatchDraw(self.images[part], self.sigma[part], self.flips[part], self.valid[part], places, self.side)


def training_draws(
    *,
    images: int,
    batch_size: int,
    sigma_range: tuple[float, float],
    seed: int,
    epoch: int,
    fixed_blur: bool,
    rotations: bool = False,
    side: int | None = None,
) -> list[BatchDraw]:
    """Draw the batches of a training epoch: every image once in a new order, with new flips and a new blur.

    A last, incomplete batch is dropped.

    Args:
        images: The number of images.
        batch_size: The number of images per batch.
        sigma_range: The smallest and the largest sigma of the blur, in pixels; it is drawn uniformly between them.
        seed: Seed of the training draws.
        epoch: The number of the epoch. (seed, epoch) determine the result.
        fixed_blur: Whether each image has the same blur in all epochs, drawn from the seed alone.
        rotations: Draw one of eight flips and rotations for each image instead of one of four flips.
        side: The side of random crops in pixels; None leaves the images whole.

    Raises:
        ValueError: If there are too few images for a batch.
    """
    if images < batch_size:
        raise ValueError(f"{images} training images make no batch of {batch_size}: lower data.batch_size.")
    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(images)
    flips = rng.random((images, 2)) < 0.5
    sigma = (np.random.default_rng((seed,)) if fixed_blur else rng).uniform(*sigma_range, images)
    valid = np.ones(batch_size, dtype=np.bool_)
    batches = order[: images // batch_size * batch_size].reshape(-1, batch_size)
    places = crop_places(images, (seed, epoch))
    if rotations:
        flips = np.concatenate((flips, transposes(images, (seed, epoch))), axis=1)
    return [BatchDraw(batch, sigma[batch], flips[batch], valid, places[batch], side) for batch in batches]


def evaluation_draws(*, sigma: Floats, batch_size: int) -> list[BatchDraw]:
    """The batches of an evaluation: every image once, in order and not flipped.

    The last batch is filled up with copies of the last image, which are not valid.

    Args:
        sigma: (N,), the sigma of each image's blur, in pixels.
        batch_size: The number of images per batch.
    """
    flips = np.zeros((batch_size, 2), dtype=np.bool_)
    draws = []
    for start in range(0, len(sigma), batch_size):
        row = np.arange(start, start + batch_size)
        index = np.minimum(row, len(sigma) - 1)
        draws.append(BatchDraw(index, sigma[index], flips, row < len(sigma), np.zeros((batch_size, 2))))
    return draws
