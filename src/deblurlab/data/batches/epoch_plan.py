"""The patches of each batch of an epoch, drawn only from (seed, epoch) before anything is read."""

from typing import Any, NamedTuple

import numpy as np

from deblurlab.data.arrays import Booleans, Floats, Integers
from deblurlab.data.batches.crops import crop_places, transposes
from deblurlab.data.batches.host import Host


class EpochPlan(NamedTuple):
    """The patches of an epoch: N batches of B patches.

    Attributes:
        frames: (N, B), the frame that each patch is cut from.
        patches: (N, B), the number of the patch in that frame, counted along the rows of the frame's grid.
        flips: (N, B, 2) or (N, B, 3), see :func:`deblurlab.data.batches.flips.flip`.
        valid: (N, B), False for patches that only fill up a batch.
        places: (N, B, 2), the places of random crops, see :func:`deblurlab.data.batches.crops.crop_places`.
        numbers: (N, B), a number for each patch that is unique in the epoch, over all hosts.
        side: The side of random crops in pixels, which replace the patches; None uses the patches.
    """

    frames: Integers
    patches: Integers
    flips: Booleans
    valid: Booleans
    places: Floats
    numbers: Integers
    side: int | None = None

    def _at(self, index: Any) -> "EpochPlan":
        """Index all fields alike, as NumPy would index an (N, B) array."""
        return EpochPlan(
            frames=self.frames[index],
            patches=self.patches[index],
            flips=self.flips[index],
            valid=self.valid[index],
            places=self.places[index],
            numbers=self.numbers[index],
            side=self.side,
        )

    def batch(self, number: int) -> "EpochPlan":
        """One batch: the same fields without the dimension N."""
        return self._at(number)

    def gathered(self, groups: Integers, seed: tuple[int, ...]) -> "EpochPlan":
        """The same batches with their rows sorted by group and frame, so that each host reads fewer frames.

        Each host takes consecutive rows. The order of groups and frames is random, but the same in all batches, so that
        most of a frame's patches are rows of one host.

        Args:
            groups: (F,), the group of each frame.
            seed: Seed of the order.
        """
        rng = np.random.default_rng(seed)
        frame_place, group_place = rng.permutation(len(groups)), rng.permutation(groups.max() + 1)
        order = np.lexsort((frame_place, group_place[groups]))  # the frames by group, since lexsort's last key is first
        place = np.argsort(order)  # the inverse: where each frame is in this order
        rows = np.argsort(place[self.frames], kind="stable")
        return self._at((np.arange(len(rows))[:, None], rows))

    def share(self, host: Host) -> "EpochPlan":
        """The rows of each batch that one host makes."""
        rows = host.rows(self.frames.shape[1])
        return self._at(np.s_[:, rows])


def every_patch(counts: Integers) -> tuple[Integers, Integers]:
    """The frame and the patch number of every patch, frame after frame.

    Args:
        counts: (F,), the number of patches of each frame.
    """
    return np.repeat(np.arange(len(counts)), counts), np.concatenate([np.arange(count) for count in counts])


def _shuffled_within(window: int, position: Integers, rng: np.random.Generator) -> Integers:
    """A windowed shuffle: two items keep their order if their positions are at least ``window`` apart.

    Each item moves back by a random distance below ``window``, and the items are sorted again. With a window of 2::

        position        0        1        2        3
        moved to     [0, 2)   [1, 3)   [2, 4)   [3, 5)      0 may fall behind 1, but never behind 2

    Args:
        window: The window. If it is larger than all positions, the result is a uniform shuffle.
        position: (N,), the position of each item, in any order.
        rng: The random number generator.

    Returns:
        (N,), the items in their new order.
    """
    jitter = rng.random(len(position))
    if window > position.max(initial=0):
        return np.argsort(jitter, kind="stable")
    return np.argsort(position + window * jitter, kind="stable")


def _floor(count: float) -> int:
    """The integer part of a sum of fractions, which may be a little below an integer by rounding."""
    return int(np.floor(count + 1e-6))


def _repeated(times: Floats, rng: np.random.Generator) -> Integers:
    """Repeat each item so many times on average, in ascending order. The length of the result is not random.

    Args:
        times: (N,). With 2.3, each item comes twice, and 30 percent of the items, drawn at random, once more.
        rng: The random number generator.
    """
    whole = np.repeat(np.arange(len(times)), times.astype(np.int64))
    part = times % 1
    once_more = rng.choice(np.flatnonzero(part), _floor(part.sum()), replace=False) if part.any() else whole[:0]
    return np.sort(np.concatenate((whole, once_more)))


def training_plan(
    *,
    patches: Integers,
    groups: Integers,
    batch_size: int,
    seed: int,
    epoch: int,
    open_groups: int,
    mixed_frames: int,
    rotations: bool = False,
    side: int | None = None,
    repeats: Floats | None = None,
) -> EpochPlan:
    """Plan a training epoch: every patch once, shuffled. A last, incomplete batch is dropped.

    A uniform shuffle would need all frames (and all shards of a bucket) at the same time. So the groups come in random
    order, frames are shuffled over a window of groups, and patches over a window of frames. With two groups A and B,
    two frames per group and two patches per frame::

        groups in random order                  B                      A
        frames, mixed over open_groups=1        B1        B0           A0        A1
        patches, mixed over mixed_frames=2      B1.0 B0.1 B1.1 A0.1    B0.0 A0.0 A1.1 A1.0
        batches of 4                            [-----------------]    [-----------------]

    Windows as large as the data give a uniform shuffle.

    Args:
        patches: (F,), the number of patches of each frame.
        groups: (F,), the group of each frame, numbered from 0: its shard, or the frame itself.
        batch_size: The number of patches per batch, over all hosts.
        seed: Seed of the training draws.
        epoch: The number of the epoch. (seed, epoch) determine the result, however many hosts share it.
        open_groups: The number of groups over which frames are shuffled.
        mixed_frames: The number of frames over which patches are shuffled.
        rotations: Draw one of eight flips and rotations for each patch instead of one of four flips.
        side: The side of random crops in pixels; each crop replaces a patch of the same frame.
        repeats: (F,), how often the patches of each frame come up, on average; None for once.

    Raises:
        ValueError: If there are too few patches for a batch.
    """
    times = np.ones(len(patches)) if repeats is None else repeats
    count = _floor((patches * times).sum())
    batches = count // batch_size
    if not batches:
        raise ValueError(f"{count} training patches make no batch of {batch_size}: lower data.batch_size.")
    rng = np.random.default_rng((seed, epoch, 0))

    place = rng.permutation(groups.max() + 1)  # the position of each group in the random order
    frames = _shuffled_within(open_groups, place[groups], rng)

    frame, patch = every_patch(patches[frames])  # ``frame`` is an index into the shuffled ``frames``
    if repeats is not None:
        again = _repeated(repeats[frames][frame], rng)
        frame, patch = frame[again], patch[again]
    shape, planned = (batches, batch_size), batches * batch_size
    order = _shuffled_within(mixed_frames, frame, rng)[:planned].reshape(shape)

    flips = rng.random((*shape, 2)) < 0.5
    if rotations:
        flips = np.concatenate((flips, transposes(planned, (seed, epoch, 0)).reshape(*shape, 1)), axis=-1)
    return EpochPlan(
        frames=frames[frame[order]],
        patches=patch[order],
        flips=flips,
        valid=np.ones(shape, dtype=np.bool_),
        places=crop_places(planned, (seed, epoch, 0)).reshape(*shape, 2),
        numbers=np.arange(planned).reshape(shape),
        side=side,
    )


def evaluation_plan(*, frames: Integers, patches: Integers, kinds: Integers, batch_size: int) -> EpochPlan:
    """Plan an evaluation: every item once and in order, where an item is a patch or a whole frame.

    The last batch of each kind is filled up with copies of its last item, which are not valid.

    Args:
        frames: (I,), each item's frame.
        patches: (I,), the number of the item's patch in that frame.
        kinds: (I,), a number for each shape of items. A batch has one shape, so its items are of one kind.
        batch_size: The number of items per batch, over all hosts.
    """
    rows, masks = [], []
    for kind in np.unique(kinds):
        items = np.flatnonzero(kinds == kind)
        batches = -(-len(items) // batch_size)  # rounded up
        place = np.arange(batches * batch_size)
        rows.append(items[np.minimum(place, len(items) - 1)].reshape(batches, batch_size))
        masks.append((place < len(items)).reshape(batches, batch_size))
    item, valid = np.concatenate(rows), np.concatenate(masks)
    flips, places = np.zeros((*item.shape, 2), dtype=np.bool_), np.zeros((*item.shape, 2))
    return EpochPlan(frames[item], patches[item], flips, valid, places, item)
