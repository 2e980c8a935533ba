"""Keeps freed memory in the process, for training on the CPU."""

import ctypes
import platform

# The numbers of mallopt's parameters in glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Make glibc's malloc keep freed memory until the process ends; without glibc this does nothing.

    By default, glibc returns every freed block of more than 32 MiB to the system. Each training step frees and
    allocates the same large tensors again, and the system would clear all their pages each time. The price is that the
    process never shrinks: until it ends it holds the most memory that it has ever used.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    malloc = ctypes.CDLL(None)
    malloc.mallopt(_MMAP_MAX, 0)  # no block gets its own mapping, which would be unmapped when it is freed
    malloc.mallopt(_TRIM_THRESHOLD, -1)  # the heap never shrinks
