"""Look for what goes wrong with downloaded frames, before a training run finds it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deblurlab.data.pixels import Pixels
from deblurlab.data.sources.frames import read_file
from deblurlab.data.sources.layouts import FramePair, Layout, images_in, sequence_folders

Grey = npt.NDArray[np.float64]

# A pair counts as misaligned if moving one side by up to so many pixels gains more than so many dB.
_REACH = 8
_GAIN_DB = 1.0


# Two pictures share a scene if at their best shift they correlate by more than this.
_ALIKE = 0.5


class Report(NamedTuple):
    """What :func:`check` found.

    Attributes:
        summary: a line on each split.
        problems: a line on each problem.
        missing: what the published data set has besides, where that can be told.
    """

    summary: list[str]
    problems: list[str]
    missing: list[str]


class _Look(NamedTuple):
    """What one frame pair shows: its problem, or how it compares."""

    pair: FramePair
    problem: str | None
    size: tuple[int, int] = (0, 0)
    sharper: bool = False
    shift: tuple[int, int] = (0, 0)
    gain: float = 0.0
    likeness: float = 1.0


def check(root: Path, layout: Layout, *, workers: int, progress: Callable[[int], None]) -> Report:
    """Read every frame pair and report what is missing, broken, of another size, swapped or shifted.

    Args:
        root: the folder.
        layout: of the data set in it.
        workers: threads that read.
        progress: called with the number of frames just read.
    """
    summary: list[str] = []
    problems: list[str] = []
    missing: list[str] = []
    for split, published in zip(("train", "test"), layout.published, strict=True):
        try:
            folders = sequence_folders(root, split, layout)
        except ValueError as error:
            problems.append(str(error).removesuffix(f". {layout.help()}"))
            continue
        pairs = []
        for name, blurred, sharp in folders:
            found, alone = _partners(name, blurred, sharp)
            pairs += found
            problems += alone
            missing += _gaps([pair.frame for pair in found], f"{split} {name}: frames")
        looks = []
        with ThreadPoolExecutor(workers) as pool:
            for look in pool.map(_look, pairs):
                looks.append(look)
                progress(1)
        sequences = {pair.sequence for pair in pairs}
        if not pairs:
            problems.append(f"{split}: there is no frame pair")
        missing += _gaps(sorted(sequences), f"{split}: sequences")
        if len(pairs) < published:
            missing.append(f"{split}: {published - len(pairs):,} of the {published:,} published frame pairs")
        summary.append(
            f"{split}: {len(sequences)} sequences, {len(pairs):,} frame pairs of the {published:,} published"
        )
        problems += [look.problem for look in looks if look.problem]
        problems += _of_sequences([look for look in looks if not look.problem], split)
    return Report(summary, problems, missing)


def _gaps(names: list[str], title: str) -> list[str]:
    """A line on the numbers left out between the first and the last of numbered ``names``."""
    if not names or not all(name.isdecimal() for name in names):
        return []
    numbers = {int(name) for name in names}
    lacking = [f"{number:0{len(names[0])}}" for number in range(min(numbers), max(numbers)) if number not in numbers]
    return [f"{title} {', '.join(lacking[:5])}{', ...' if len(lacking) > 5 else ''}"] if lacking else []


def _partners(name: str, blurred: Path, sharp: Path) -> tuple[list[FramePair], list[str]]:
    sides = [images_in(folder) if folder.is_dir() else {} for folder in (blurred, sharp)]
    problems = []
    for have, lack, folder in ((sides[0], sides[1], sharp), (sides[1], sides[0], blurred)):
        if alone := sorted(have.keys() - lack.keys()):
            shown = ", ".join(alone[:5]) + (", ..." if len(alone) > 5 else "")
            problems.append(f"{folder} lacks {len(alone)} frames: {shown}")
    if not any(sides):
        problems.append(f"{blurred} and {sharp} hold no pictures")
    both = sides[0].keys() & sides[1].keys()
    return [FramePair(name, frame, sides[0][frame], sides[1][frame]) for frame in sorted(both)], problems


def _look(pair: FramePair) -> _Look:
    try:
        blurred, sharp = read_file(pair.blurred), read_file(pair.sharp)
    except ValueError as error:
        return _Look(pair, str(error))
    if blurred.shape != sharp.shape:
        sizes = " against ".join(f"{side.shape[1]}x{side.shape[0]}" for side in (blurred, sharp))
        return _Look(pair, f"{pair.blurred} and {pair.sharp} differ in size: {sizes}")
    shift, gain, likeness = best_shift(_grey(blurred), _grey(sharp))
    return _Look(pair, None, sharp.shape[:2], _detail(blurred) > _detail(sharp), shift, gain, likeness)


def _grey(pixels: Pixels) -> Grey:
    grey: Grey = pixels.mean(axis=2)
    return grey


def _detail(pixels: Pixels) -> float:
    """Mean squared Laplacian: blur lowers it."""
    grey = _grey(pixels)
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(np.square(laplacian).mean())


def best_shift(blurred: Grey, sharp: Grey) -> tuple[tuple[int, int], float, float]:
    """By how many rows and columns the blurred picture lies off the sharp one, what undoing it gains in dB, and how
    the two then correlate, -1 to 1.

    Compares the middle of the blurred picture with the sharp one at every shift up to 8 pixels. The sum of
    squared differences is expanded, so that its one costly part, the correlation, is a single FFT.
    """
    reach = min(_REACH, (min(sharp.shape) - 1) // 4)
    middle = blurred[reach:-reach, reach:-reach]
    mean = sharp.mean()
    middle, whole = middle - mean, sharp - mean
    size = [int(length) for length in whole.shape]
    correlation = np.fft.irfft2(np.fft.rfft2(whole) * np.conj(np.fft.rfft2(middle, size)), size)
    correlation = correlation[: 2 * reach + 1, : 2 * reach + 1]
    sums = np.pad(np.square(whole), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    height, width = middle.shape
    top, left = np.arange(2 * reach + 1)[:, None], np.arange(2 * reach + 1)[None]
    power = sums[top + height, left + width] - sums[top, left + width] - sums[top + height, left] + sums[top, left]
    error = (power - 2 * correlation + np.square(middle).sum()).clip(min=1e-6)
    row, column = np.unravel_index(error.argmin(), error.shape)
    gain = 10 * np.log10(error[reach, reach] / error[row, column])
    likeness = correlation[row, column] / np.sqrt(max(power[row, column] * np.square(middle).sum(), 1e-6))
    return (reach - int(row), reach - int(column)), float(gain), float(likeness)


def _of_sequences(looks: list[_Look], split: str) -> Iterator[str]:
    """Problems that a whole sequence shows; single frames may lack detail or fool the comparison."""
    sequences = defaultdict(list)
    for look in looks:
        sequences[look.pair.sequence].append(look)
    for name, group in sequences.items():
        sizes = {look.size for look in group}
        if len(sizes) > 1:
            listed = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
            yield f"{split} {name}: frames of different sizes ({listed})"
        if sum(look.sharper for look in group) > len(group) / 2:
            yield (
                f"{split} {name}: the blurred frames have more detail than the sharp ones: "
                f"{group[0].pair.blurred.parent} and {group[0].pair.sharp.parent} are swapped"
            )
        strangers = [look for look in group if look.likeness < _ALIKE]
        if len(strangers) > len(group) / 2:
            yield (
                f"{split} {name}: blurred and sharp frames show different scenes: {group[0].pair.blurred.parent} and "
                f"{group[0].pair.sharp.parent}"
            )
            continue
        shifted = [look for look in group if look.shift != (0, 0) and look.gain > _GAIN_DB]
        if len(shifted) > len(group) / 2:
            middle = sorted(shifted, key=lambda look: look.gain)[len(shifted) // 2]
            if _REACH in map(abs, middle.shift):
                yield f"{split} {name}: blurred and sharp frames lie {_REACH} or more pixels apart: other moments?"
                continue
            yield (
                f"{split} {name}: the blurred frames lie {middle.shift[0]} rows and {middle.shift[1]} columns off the "
                f"sharp ones, which costs {middle.gain:.1f} dB"
            )
