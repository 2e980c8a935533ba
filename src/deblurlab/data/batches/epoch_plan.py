"""Which patches make which batch of an epoch, drawn only from (seed, epoch) before anything is read."""

from typing import Any, NamedTuple

import numpy as np

from deblurlab.data.arrays import Booleans, Floats, Integers
from deblurlab.data.batches.crops import crop_places, transposes
from deblurlab.data.batches.host import Host


class EpochPlan(NamedTuple):
    """The patches of an epoch: N batches of B patches.

    Attributes:
        frames: (N, B) the frame that each patch is cut from.
        patches: (N, B) which patch of that frame it is, counted along the rows of the frame's grid.
        flips: (N, B, 2) or (N, B, 3), see :func:`deblurlab.data.batches.flips.flip`.
        valid: (N, B) False for patches that only fill up a batch.
        places: (N, B, 2) where random crops lie, see :func:`deblurlab.data.batches.crops.crop_places`.
        numbers: (N, B) a number for each patch that no other patch of the epoch has, on any host.
        side: The side of random crops, which take the place of the patches; None takes the patches.
    """

    frames: Integers
    patches: Integers
    flips: Booleans
    valid: Booleans
    places: Floats
    numbers: Integers
    side: int | None = None

    def _at(self, index: Any) -> "EpochPlan":
        """The same fields at an index of (N, B), as NumPy takes it."""
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
        """One batch: the same fields without N."""
        return self._at(number)

    def gathered(self, groups: Integers, seed: tuple[int, ...]) -> "EpochPlan":
        """The same batches with their rows sorted by group and frame, so that each host reads fewer frames.

        Hosts take rows that lie one after the other. The order of groups and frames is random, and the same in all
        batches, so that most of a frame's patches are rows of one host.

        Args:
            groups: (F,) the group of each frame.
            seed: Seed of the order.
        """
        rng = np.random.default_rng(seed)
        place = np.argsort(np.lexsort((rng.permutation(len(groups)), rng.permutation(groups.max() + 1)[groups])))
        batch, row = np.arange(len(self.frames))[:, None], np.argsort(place[self.frames], kind="stable")
        return self._at((batch, row))

    def share(self, host: Host) -> "EpochPlan":
        """What one host makes of each batch."""
        rows = host.rows(self.frames.shape[1])
        return self._at(np.s_[:, rows])


def every_patch(counts: Integers) -> tuple[Integers, Integers]:
    """The frame and the patch number of every patch, frame after frame.

    Args:
        counts: (F,) how many patches each frame has.
    """
    return np.repeat(np.arange(len(counts)), counts), np.concatenate([np.arange(count) for count in counts])


def _shuffled_within(window: int, position: Integers, rng: np.random.Generator) -> Integers:
    """A windowed shuffle: two items keep their order if their positions are at least ``window`` apart.

    Each item moves back by a random distance below ``window``, and the items are sorted again. With a window of 2::

        position        0        1        2        3
        moved to     [0, 2)   [1, 3)   [2, 4)   [3, 5)      0 may fall behind 1, but never behind 2

    Args:
        window: If it is larger than all positions, the order is a uniform shuffle instead.
        position: (N,) the position of each item, in ascending or any other order.
        rng: Where the random numbers come from.

    Returns:
        (N,) the items in their new order.
    """
    jitter = rng.random(len(position))
    if window > position.max(initial=0):
        return np.argsort(jitter, kind="stable")
    return np.argsort(position + window * jitter, kind="stable")


def _whole(count: float) -> int:
    """The whole part of a count that was added up from fractions."""
    return int(np.floor(count + 1e-6))


def _repeated(times: Floats, rng: np.random.Generator) -> Integers:
    """Items that come up so many times each, on average, in ascending order; in all, always as many.

    Args:
        times: (N,) such as 2.3: twice, and 30 in 100 of these items, drawn at random, once more.
        rng: Where the random numbers come from.
    """
    whole = np.repeat(np.arange(len(times)), times.astype(np.int64))
    part = times % 1
    once_more = rng.choice(np.flatnonzero(part), _whole(part.sum()), replace=False) if part.any() else whole[:0]
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
    """Every patch once, shuffled. A last partial batch is dropped.

    A plain shuffle would need all frames (and all shards of a bucket) at hand at once. So groups come in random order,
    frames mix over a window of groups, and patches mix over a window of frames. With two groups A and B, two frames in
    a group and two patches in a frame::

        groups in random order                  B                      A
        frames, mixed over open_groups=1        B1        B0           A0        A1
        patches, mixed over mixed_frames=2      B1.0 B0.1 B1.1 A0.1    B0.0 A0.0 A1.1 A1.0
        batches of 4                            [-----------------]    [-----------------]

    Windows as large as the data give the plain uniform shuffle.

    Args:
        patches: (F,) how many patches each frame has.
        groups: (F,) the group that each frame lies in, a shard or the frame itself, numbered from 0.
        batch_size: Patches per batch of all hosts.
        seed: Seed of the training draws.
        epoch: The number of the epoch. (seed, epoch) determine the result, however many hosts share it.
        open_groups: Over how many groups frames mix.
        mixed_frames: Over how many frames patches mix.
        rotations: Draw one of eight flips and rotations for each patch instead of one of four flips.
        side: The side of random crops; each takes the place of a patch of the same frame.
        repeats: (F,) how often the patches of each frame come up, on average; None for once.

    Raises:
        ValueError: if there are too few patches for a batch.
    """
    times = np.ones(len(patches)) if repeats is None else repeats
    count = _whole((patches * times).sum())
    batches = count // batch_size
    if not batches:
        raise ValueError(f"{count} training patches make no batch of {batch_size}: lower data.batch_size.")
    rng = np.random.default_rng((seed, epoch, 0))

    place = rng.permutation(groups.max() + 1)  # of each group in the random order
    frames = _shuffled_within(open_groups, place[groups], rng)

    frame, patch = every_patch(patches[frames])  # frame counts along the order just made
    if repeats is not None:
        again = _repeated(repeats[frames][frame], rng)
        frame, patch = frame[again], patch[again]
    shape = (batches, batch_size)
    order = _shuffled_within(mixed_frames, frame, rng)[: batches * batch_size].reshape(shape)
    flips, drawn = rng.random((*shape, 2)) < 0.5, (seed, epoch, 0)
    if rotations:
        flips = np.concatenate((flips, transposes(batches * batch_size, drawn).reshape(*shape, 1)), axis=-1)
    return EpochPlan(
        frames=frames[frame[order]],
        patches=patch[order],
        flips=flips,
        valid=np.ones(shape, dtype=np.bool_),
        places=crop_places(batches * batch_size, drawn).reshape(*shape, 2),
        numbers=np.arange(batches * batch_size).reshape(shape),
        side=side,
    )


def evaluation_plan(*, frames: Integers, patches: Integers, kinds: Integers, batch_size: int) -> EpochPlan:
    """Every item once and in order, where an item is a patch or a whole frame. A kind's last batch is filled up.

    Args:
        frames: (I,) each item's frame.
        patches: (I,) which patch of that frame the item is.
        kinds: (I,) a number per shape of items. A batch has one shape, so it holds items of one kind.
        batch_size: Items per batch of all hosts.
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
