"""Reads and rewrites programs as XLA prints them: StableHLO before compilation, HLO after it.

The compiler gives some of its results in the printed program only. Every function here raises ``ValueError`` if it does
not find what it looks for, because another version of the compiler may print it differently.
"""

import math
import re

# Bytes per element of XLA's types.
_BYTES = {"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8}


def _unknown(what: str) -> ValueError:
    return ValueError(
        f"plan finds no {what} in the compiled step. It reads what libtpu 0.0.52 and jax 0.10 print: "
        "pip install 'libtpu==0.0.52' 'jax>=0.10,<0.11'."
    )


def split_over(stablehlo: str, cores: int) -> str:
    """Rewrite a program so that every batch is split over ``cores`` devices instead of those it was traced with.

    Args:
        stablehlo: A program that was traced with each batch split over several devices.
        cores: The number of devices that share a batch.

    Raises:
        ValueError: If nothing in the program is split over devices.
    """

    def tiled(match: re.Match[str]) -> str:
        sides = [side if side == "1" else str(cores) for side in match[1].split(",")]
        return f"devices=[{','.join(sides)}]<=[{cores}]"

    # A sharding reads devices=[8,1,1,1]0,1,2,3,4,5,6,7 or devices=[8,1]<=[8].
    split, shardings = re.subn(r"devices=\[([\d,]+)\](?:<=\[\d+\]|[\d,]+)(?=[}\s])", tiled, stablehlo)
    if not shardings:
        raise _unknown("batch that is split over devices")
    return split


def all_reduce_bytes(hlo: str) -> list[int]:
    """The size of each all-reduce of a compiled program, in bytes.

    Raises:
        ValueError: If there is none. Every training step on several cores sums its gradients over them.
    """
    # An operation reads %b = (f32[64]{0}, bf16[3,4]{1,0}) all-reduce-start(%x, %y), channel_id=2
    sizes = []
    for result in re.findall(r" = (\(.*?\)|\S+) all-reduce(?:-start)?\(", hlo):
        tensors = re.findall(r"(\w+)\[([\d,]*)\]", result)
        sizes.append(
            sum(_BYTES[kind] * math.prod(int(side) for side in sides.split(",") if side) for kind, sides in tensors)
        )
    if not sizes:
        raise _unknown("all-reduces")
    return sizes


def estimated_cycles(hlo: str) -> int:
    """The cycles that the compiler's scheduler estimates for a compiled program, summed over its operations.

    Raises:
        ValueError: If the program states no cycles.
    """
    cycles = [int(count) for count in re.findall(r'"estimated_cycles":"(\d+)"', hlo)]
    if not sum(cycles):
        raise _unknown("estimated cycles")
    return sum(cycles)
