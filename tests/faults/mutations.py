"""How files are damaged on their way: bits flip, blocks are lost, doubled or overwritten, files are cut."""

import random


def mutated(data: bytes, draw: random.Random) -> bytes:
    """``data`` with one random damage, never equal to ``data``."""
    while True:
        changed = draw.choice(_DAMAGES)(bytearray(data), draw)
        if changed != data:
            return bytes(changed)


def _flip(data: bytearray, draw: random.Random) -> bytearray:
    for _ in range(draw.choice((1, 1, 2, 8))):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return data


def _cut(data: bytearray, draw: random.Random) -> bytearray:
    return data[: draw.randrange(len(data))]


def _lose(data: bytearray, draw: random.Random) -> bytearray:
    start, length = _block(data, draw)
    return data[:start] + data[start + length :]


def _double(data: bytearray, draw: random.Random) -> bytearray:
    start, length = _block(data, draw)
    return data[: start + length] + data[start:]


def _overwrite(data: bytearray, draw: random.Random) -> bytearray:
    start, length = _block(data, draw)
    data[start : start + length] = bytes(length) if draw.random() < 0.5 else draw.randbytes(length)
    return data


def _flip_in_the_head(data: bytearray, draw: random.Random) -> bytearray:
    data[draw.randrange(min(len(data), 200))] = draw.randrange(256)
    return data


def _append(data: bytearray, draw: random.Random) -> bytearray:
    return data + draw.randbytes(draw.randrange(1, 100))


def _block(data: bytearray, draw: random.Random) -> tuple[int, int]:
    start = draw.randrange(len(data))
    return start, min(draw.choice((1, 4, 64, 512)), len(data) - start)


_DAMAGES = (_flip, _flip, _cut, _lose, _double, _overwrite, _flip_in_the_head, _append)
