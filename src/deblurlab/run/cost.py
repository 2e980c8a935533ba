"""Measures what a network costs to use: parameters, operations (counted by PyTorch) and speed."""

import time
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from deblurlab.checks.words import three_digits
from deblurlab.interfaces import Evaluable, Pair
from deblurlab.nets.folding import without_folding
from deblurlab.tasks.restoration import Restoration

# Small images are timed as a batch of about so many pixels.
_TIMED_PIXELS = 2**16


@dataclass(frozen=True)
class Size:
    """The size of a network.

    Attributes:
        parameters: The number of the network's parameters, without those of a critic.
        flops: Floating point operations of convolutions and matrix products for one image; a multiply-add is two.
        pixels: Height times width of that image.
    """

    parameters: int
    flops: int
    pixels: int

    @property
    def kmacs_per_pixel(self) -> float:
        """Thousands of multiply-adds for each pixel of an image."""
        return self.flops / 2e3 / self.pixels


def measure_size(task: Restoration, pair: Pair) -> Size:
    """Count the parameters of a task's network, and its operations for the first image of a batch."""
    one = _first(pair, 1)
    with FlopCounterMode(display=False) as counter, torch.inference_mode(), without_folding():
        task.restore_whole(one)
    parameters = sum(parameter.numel() for parameter in task.network.parameters())
    return Size(parameters, counter.get_total_flops(), one.blurred.shape[-2] * one.blurred.shape[-1])


def images_per_second(task: Restoration, pair: Pair) -> float:
    """Images per second that a task restores, on the device of the task and the batch: the better of two tries."""
    seconds = []
    with torch.inference_mode(), without_folding():
        for _ in range(2):
            start = time.perf_counter()
            task.restore_whole(pair)
            seconds.append(time.perf_counter() - start)
    return len(pair.blurred) / min(seconds)


def described(task: Restoration, data: Evaluable, *, images: int) -> str:
    """Describe in one line what a network costs on test images.

    Args:
        task: The task of the network, on the CPU.
        data: The data module of the test images.
        images: The number of test images.
    """
    pair = data.examples("test", [0])
    height, width = pair.blurred.shape[-2:]
    size = measure_size(task.eval(), pair)
    several = data.examples("test", range(max(1, min(images, _TIMED_PIXELS // (height * width)))))
    return (
        f"{size.parameters:,} parameters, {three_digits(size.kmacs_per_pixel)} kMAC per pixel, "
        f"{three_digits(images_per_second(task, several))} images/s of {width}x{height} on the CPU"
    )


def _first(pair: Pair, count: int) -> Pair:
    return Pair(pair.blurred[:count], pair.sharp[:count], pair.valid[:count], pair.grid)
