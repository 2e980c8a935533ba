"""Divides data for training and evaluation, in the same way in every run, so that runs can be compared."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Literal, TypeVar

import numpy as np

from deblurlab.checks.words import counted
from deblurlab.data.arrays import Booleans, Integers

log = logging.getLogger(__name__)

T = TypeVar("T")

# The splits that authors publish. Validation images are taken from the published training images.
PublishedSplit = Literal["train", "test"]

# The share of the training data that is held out for validation (and for the test, where none is published).
HELD_OUT_SHARE = 0.125
# With fewer sequences than this, the share is less than one sequence.
FEWEST_SEQUENCES = round(1 / HELD_OUT_SHARE)

# Seeds of the blur of validation and test images. No run may change them; training draws its blur from data.seed.
EVALUATION_SEEDS: Mapping[Literal["val", "test"], int] = {"val": 1, "test": 2}

_SPLIT_SEED = 0


def fixed_order(count: int) -> Integers:
    """The numbers below ``count`` in a random order, the same one in every run."""
    return np.random.default_rng(_SPLIT_SEED).permutation(count)


def hold_out_images(count: int) -> tuple[Integers, Integers]:
    """Choose which of ``count`` unrelated images to train on and which to hold out, the same in every run.

    Returns:
        The indices of the images to train on and of those to hold out, an eighth, both in random order.
    """
    order = fixed_order(count)
    out = round(HELD_OUT_SHARE * count)
    return order[out:], order[:out]


def hold_out_sequences(
    sequences: Sequence[str], title: str, purpose: str = "validation", kind: Literal["sequence", "folder"] = "sequence"
) -> Booleans:
    """Choose the frames to hold out: those of an eighth of the sequences, the same ones in every run.

    Neighbouring frames are near copies of each other, so whole sequences are held out. With fewer than eight
    sequences, the last eighth of each sequence's frames is held out instead, with a warning.

    Args:
        sequences: The sequence of each frame; frames of one sequence are adjacent.
        title: The name of the data set in messages.
        purpose: The use of the frames that are held out, for messages.
        kind: What a sequence is, for messages: the frames of a video, or the pairs in one folder, which may also be
            pictures that have nothing in common.

    Returns:
        One value per frame, True for a frame that is held out.

    Raises:
        ValueError: If there are fewer than eight sequences and each has only one frame.
    """
    names = [name for name, _ in groupby(sequences)]
    if len(names) >= FEWEST_SEQUENCES:
        out = round(HELD_OUT_SHARE * len(names))
        chosen = {names[index] for index in fixed_order(len(names))[:out]}
        return np.array([name in chosen for name in sequences])
    masks = []
    for _, group in groupby(sequences):
        count = len(list(group))
        kept = count - max(1, round(HELD_OUT_SHARE * count)) if count > 1 else 1
        masks.append(np.arange(count) >= kept)
    mask = np.concatenate(masks)
    if not mask.any():
        raise ValueError(f"{title}: {counted(len(mask), 'frame')} cannot spare one for {purpose}.")
    if kind == "folder":
        log.warning(
            f"{title}: the pairs lie in {counted(len(names), 'folder')}, too few to hold out a whole one for "
            f"{purpose}, so the last pairs of each are held out. If they resemble the others, as neighbouring frames "
            "of a video do, scores on them are too good."
        )
    else:
        log.warning(
            f"{title}: {counted(len(names), 'sequence')} cannot spare one for {purpose}, so the last frames of "
            "each are held out. They resemble the other frames, so scores on them are too good."
        )
    return mask


def divided(items: Sequence[T], held_out: Iterable[bool]) -> tuple[list[T], list[T]]:
    """The items that are kept, and those that ``held_out`` is True for, each in their order."""
    kept: list[T] = []
    out: list[T] = []
    for item, held in zip(items, held_out, strict=True):
        (out if held else kept).append(item)
    return kept, out
