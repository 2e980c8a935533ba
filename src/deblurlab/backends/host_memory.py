"""Keeps the memory that a training step on the CPU frees."""

import ctypes
import platform

# The numbers of mallopt's parameters in glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Have glibc's malloc keep freed memory for the whole process, for good; without glibc this does nothing.

    By default, glibc returns every freed block of more than 32 MiB to the system. A training step frees and asks
    again for the same large tensors, and the system would clear all their pages again in each step. The price is that
    the process never shrinks: it holds the most memory that it has ever used until it ends.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    malloc = ctypes.CDLL(None)
    malloc.mallopt(_MMAP_MAX, 0)  # no block is so large that it is mapped, and unmapped, by itself
    malloc.mallopt(_TRIM_THRESHOLD, -1)  # the heap never shrinks
