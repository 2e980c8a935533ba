"""The speed and memory of TPU cores, and the number of chips in a slice."""

import math
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """One core of a TPU generation.

    Sources: Jouppi et al. 2020 (v2, v3) and Google Cloud's pages on the TPU generations (the others).

    Attributes:
        clock: Cycles per second.
        peak: bfloat16 FLOP per second.
        memory: Bytes of HBM.
        bandwidth: Bytes per second between the core and its HBM.
        link: Bytes per second that the core can send over its share of the chip's links.
        cores: Cores per chip.
    """

    clock: float
    peak: float
    memory: float
    bandwidth: float
    link: float
    cores: int


_MXU = 128 * 128 * 2  # FLOP per cycle of one matrix unit
_GIB = 2**30

CHIPS = {
    "v2": Chip(700e6, 1 * _MXU * 700e6, 8 * _GIB, 350e9, 4 * 62e9 / 2, 2),
    "v3": Chip(940e6, 2 * _MXU * 940e6, 16 * _GIB, 450e9, 4 * 82e9 / 2, 2),
    "v4": Chip(1050e6, 4 * _MXU * 1050e6, 16 * _GIB, 614e9, 300e9 / 2, 2),
    "v5e": Chip(1500e6, 4 * _MXU * 1500e6, 16 * _GIB, 819e9, 200e9, 1),
    "v6e": Chip(1750e6, 4 * 4 * _MXU * 1750e6, 32 * _GIB, 1640e9, 448e9, 1),
}


@dataclass(frozen=True)
class Topology:
    """A slice of a TPU pod.

    Attributes:
        name: Google's name, such as ``v2-8``.
        generation: A key of :data:`CHIPS`.
        grid: The chips along each side of the slice.
        cores: The number of cores, which the name ends with.
    """

    name: str
    generation: str
    grid: tuple[int, ...]
    cores: int

    @property
    def chip(self) -> Chip:
        """The type of the slice's cores."""
        return CHIPS[self.generation]

    @property
    def compiler_name(self) -> str:
        """The TPU compiler's name of the slice, such as ``v2:2x2``."""
        return f"{self.generation}:{'x'.join(map(str, self.grid))}"

    @property
    def hops(self) -> int:
        """The number of consecutive messages from chip to neighbouring chip in an all-reduce."""
        return sum(2 * (side - 1) for side in self.grid)


def topology(name: str) -> Topology:
    """The slice with a name such as ``v2-8`` or ``v5e-64``.

    Raises:
        ValueError: If there is no such slice; the message names the generations and sizes that there are.
    """
    match = re.fullmatch(r"(v\d+e?)-(\d+)", name)
    if match is None or match[1] not in CHIPS:
        raise ValueError(f"topology={name}: use a generation of {', '.join(CHIPS)} and its size, say v2-8 or v5e-64.")
    generation, cores = match[1], int(match[2])
    chips = cores // CHIPS[generation].cores
    power = math.log2(chips) if chips else 0.5
    if cores % CHIPS[generation].cores or power != int(power) or not 4 <= chips <= 256:
        raise ValueError(f"topology={name}: a slice has a power of two of chips, 4 to 256.")
    if generation == "v4":  # a v4 pod is a cube, the others are squares
        sides = [2 ** (int(power) // 3 + (rest < int(power) % 3)) for rest in range(3)]
        grid = tuple(sorted(sides)) if chips > 4 else (2, 2, 1)
    else:
        grid = (2 ** (int(power) // 2), 2 ** (int(power) - int(power) // 2))
    return Topology(name=name, generation=generation, grid=grid, cores=cores)
