"""Chooses the tiles of a picture: those with the least total area that fit into the memory."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from deblurlab.restoring.probe import Measured
from deblurlab.restoring.tiling import Axis, Cut, Tiling

_MEBIBYTE = 2**20
_CPU_MEMORY = 352 * _MEBIBYTE  # with it, a picture of 4000x3000 pixels takes less than 1.5 GiB in all
_BLEND = 8  # pixels: it hides slight seams, in pictures with 16 bits or of networks with a long reach
_LEAST_MARGIN = 48  # pixels: in some photographs the reach of a network is longer than on the probe
# Means over a window reach half of it. The probe is alike everywhere, and so are its means, so that it shows this reach
# too short for photographs of bright and dark parts. Where memory is for small tiles only, the whole of it is too dear.
_MOST_WINDOW_MARGIN = 1 / 6  # of the side of a square tile that fills the memory
_FAR_BLEND = 16  # pixels, for a network that depends on the whole image, whose tiles fit each other less well
_XLA_BATCH = 4  # tiles


def memory_of(device: torch.device) -> int:
    """The bytes that tiles may take on a device: 352 MiB on the CPU, half of the free memory on a GPU."""
    return torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else _CPU_MEMORY


def planned(height: int, width: int, network: Measured, *, memory: int) -> Cut:
    """The cut of a picture with the least total area: the whole picture, if there is memory for it.

    Otherwise the tiles have one shape, are as large as the memory allows, and no larger than their number requires.

    Args:
        height: The height of the picture in pixels.
        width: The width of the picture in pixels.
        network: The measurements of the network.
        memory: The bytes that its activations may take.
    """
    most_pixels = max(1, memory // network.bytes_per_pixel)
    cuts = list(_cuts(height, width, network, most_pixels))
    fitting = [cut for cut in cuts if cut.tile_pixels <= most_pixels]
    return min(fitting, key=_area) if fitting else min(cuts, key=lambda cut: cut.tile_pixels)


def _area(cut: Cut) -> int:
    return cut.count * cut.tile_pixels


def _cuts(height: int, width: int, network: Measured, most_pixels: int) -> Iterator[Cut]:
    """For each sensible number of rows, yield the cut with one column, and that with the fewest that may fit."""
    half_window = min(network.window // 2, int(most_pixels**0.5 * _MOST_WINDOW_MARGIN))
    margin = max(network.reach.pixels, _LEAST_MARGIN, half_window)
    blend = _FAR_BLEND if network.reach.beyond else _BLEND

    def axis(size: int, count: int) -> Axis:
        return Axis.divided(size, count, margin=margin, blend=blend, multiple=network.multiple)

    shortest = max(2 * (margin + blend), network.multiple)  # shorter tiles would be nearly all margin
    for rows in range(1, max(1, height // shortest) + 1):
        down = axis(height, rows)
        # the widest step between tiles that fit into the memory; step and side are each rounded up to the multiple
        step = most_pixels // down.side - 2 * margin - blend - 2 * network.multiple
        needed = -(-(width - 2 * margin - blend) // step) if step > 0 else width
        for columns in {1, min(max(1, needed), max(1, width // shortest))}:
            yield Cut(down=down, across=axis(width, columns))


def xla_cut(height: int, width: int, multiple: int) -> Cut:
    """The cut of a picture for XLA, which compiles each shape separately.

    That takes longer than to restore a larger area, so all pictures that are larger than a tile have the same batches
    of the same tiles. A smaller picture keeps its own shape, so that its borders are those of the whole picture.
    """
    cut = Cut.of(height, width, Tiling(), multiple)
    return replace(cut, batch=1 if cut.count == 1 else _XLA_BATCH, full_batches=True)
