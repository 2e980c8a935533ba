"""The search for the largest batch that fits into a core's memory."""

from collections.abc import Callable

from deblurlab.planning.compiler import DoesNotFitError
from deblurlab.planning.estimate import Estimate


def largest_batch(step: Estimate, compiled: Callable[[int], Estimate], *, images: int) -> int:
    """The largest number of images per core with which a training step fits into the memory of ``step``'s chip.

    Memory grows linearly with the batch. Therefore the step and one of half its batch predict the result; further
    compilations confirm it or try 5 % fewer images.

    Args:
        step: A step that fits.
        compiled: Compiles the step for a number of images per core. It may raise :class:`DoesNotFitError`.
        images: The number of images in the training set, which must fill a batch of all cores.

    Returns:
        A multiple of 8, or the batch of ``step`` if no larger multiple fits.
    """
    memory, cores = step.topology.chip.memory, step.topology.cores
    half = compiled(max(1, step.batch // 2))
    slope = (step.cost.memory_bytes - half.cost.memory_bytes) / max(1, step.batch - half.batch)
    batch = int(step.batch + (memory - step.cost.memory_bytes) / slope) if slope > 0 else images
    batch = min(batch, images // cores) // 8 * 8
    while batch > step.batch:
        try:
            if compiled(batch).cost.memory_bytes <= memory:
                return batch
        except DoesNotFitError:
            pass
        batch = int(0.95 * batch) // 8 * 8
    return step.batch
