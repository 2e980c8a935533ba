"""Which patches make which batch of an epoch: drawn from (seed, epoch) alone, before anything is read."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


class Plan(NamedTuple):
    """An epoch's batches, N of B patches.

    Attributes:
        frames: (N, B) the frame each patch is cut from.
        patches: (N, B) which patch of that frame, counted along the rows of its grid.
        flips: (N, B, 2) flip horizontally and vertically.
        valid: (N, B) False for patches that only fill up a batch.
    """

    frames: Integers
    patches: Integers
    flips: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]


class Host(NamedTuple):
    """One of ``hosts`` processes that share an epoch."""

    rank: int = 0
    hosts: int = 1


def _spread(position: Integers, window: int, rng: np.random.Generator) -> Integers:
    """A random order in which nothing overtakes what stood ``window`` or more places away from it."""
    jitter = rng.random(len(position))
    if window > position.max(initial=0):
        return np.argsort(jitter, kind="stable")
    return np.argsort(position + window * jitter, kind="stable")


def training_plan(
    *,
    patches: Integers,
    groups: Integers,
    batch_size: int,
    seed: int,
    epoch: int,
    open_groups: int,
    mixed_frames: int,
    host: Host,
) -> Plan:
    """Every patch of this host's groups once, shuffled; a last partial batch is dropped.

    The order is random within windows, so that few frames (and, of a bucket, few shards) need to be at hand:
    groups come in random order, frames mix over ``open_groups`` groups and patches over ``mixed_frames``
    frames. A window as large as the data gives the plain uniform shuffle.

    Args:
        patches: (F,) how many patches each frame has.
        groups: (F,) the group (a shard, or the frame itself) each frame lies in, numbered from 0. Hosts take
            groups in turn; each host's number of batches is the same.
        batch_size: patches a batch.
        seed: of the draws.
        epoch: of the draws.
        open_groups: over how many groups frames mix.
        mixed_frames: over how many frames patches mix.
        host: which share of the groups.

    Raises:
        ValueError: if the patches make no batch.
    """
    shares = np.bincount(groups % host.hosts, weights=patches, minlength=host.hosts)
    batches = int(shares.min()) // batch_size
    if not batches:
        raise ValueError(
            f"{int(shares.min())} training patches make no batch of {batch_size}: lower data.batch_size"
            + (f", or use fewer than {host.hosts} hosts." if host.hosts > 1 else ".")
        )
    rng = np.random.default_rng((seed, epoch, host.rank))
    frames = np.flatnonzero(groups % host.hosts == host.rank)
    turn = rng.permutation(groups.max() + 1)
    by_group = np.argsort(np.argsort(turn[np.unique(groups[frames])]))  # 0, 1, ... over this host's groups
    position = by_group[np.searchsorted(np.unique(groups[frames]), groups[frames])]
    frames = frames[_spread(position, open_groups, rng)]

    counts = patches[frames]
    patch = np.concatenate([np.arange(count) for count in counts])
    order = _spread(np.repeat(np.arange(len(frames)), counts), mixed_frames, rng)[: batches * batch_size]
    shape = (batches, batch_size)
    return Plan(
        frames=np.repeat(frames, counts)[order].reshape(shape),
        patches=patch[order].reshape(shape),
        flips=rng.random((*shape, 2)) < 0.5,
        valid=np.ones(shape, dtype=np.bool_),
    )


def evaluation_plan(*, frames: Integers, patches: Integers, kinds: Integers, batch_size: int, host: Host) -> Plan:
    """Every item once, in order, no batch of two kinds; each kind's last batch is filled up and masked.

    Args:
        frames: (I,) each item's frame.
        patches: (I,) each item's patch of that frame.
        kinds: (I,) a batch has one shape, so items of different shapes are different kinds.
        batch_size: items a batch.
        host: takes every ``hosts``-th item; all hosts have the same number of batches.
    """
    rows, masks = [], []
    for kind in np.unique(kinds):
        items = np.flatnonzero(kinds == kind)
        mine = items[host.rank :: host.hosts]
        batches = -(-len(items) // (host.hosts * batch_size))
        place = np.arange(batches * batch_size)
        source = mine if len(mine) else items
        rows.append(source[np.minimum(place, len(source) - 1)].reshape(batches, batch_size))
        masks.append((place < len(mine)).reshape(batches, batch_size))
    item, valid = np.concatenate(rows), np.concatenate(masks)
    return Plan(frames[item], patches[item], np.zeros((*item.shape, 2), dtype=np.bool_), valid)
