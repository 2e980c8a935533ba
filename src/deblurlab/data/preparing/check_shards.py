"""Compares prepared shards with their index, before a training run reads them."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from deblurlab.checks.words import counted
from deblurlab.data.preparing.check_report import Report
from deblurlab.data.shards.index import Index, Shard
from deblurlab.data.shards.storage import Storage


def check_shards(storage: Storage, index: Index, *, workers: int, progress: Callable[[int], None]) -> Report:
    """Read every shard and report those whose size or SHA-256 differs from the index.

    Training only compares the size of a shard, the name in its footer, and the sequence and frame of each row. Shards
    of version 0.1.0 have no name in their footer. If two of them have equal sizes and the same names of sequences and
    frames, as in train and val of REDS, only this check notices that they were swapped.

    Args:
        storage: The storage of the shards.
        index: The index of the shards.
        workers: The number of threads that read.
        progress: Called with the number of frames that were just read.
    """
    report = Report(checked="every shard is whole and in its place", remedy="Delete these files and run prepare again.")
    with ThreadPoolExecutor(workers) as pool:
        problems = pool.map(partial(_problem, storage), index.shards)
        for shard, problem in zip(index.shards, problems, strict=True):
            if problem:
                report.problems.append(f"{storage.address(shard.file)} {problem}")
            progress(len(shard.frames))
    frames = Counter[str]()
    for shard in index.shards:
        frames[shard.split] += len(shard.frames)
    report.summary.extend(f"{split}: {counted(count, 'prepared frame pair')}" for split, count in frames.items())
    return report


def _problem(storage: Storage, shard: Shard) -> str:
    """The problem of a shard; "" if there is none."""
    size = storage.size(shard.file)
    if size is None:
        return "is missing"
    if size != shard.bytes:
        return f"has {size:,} bytes, and the index lists {shard.bytes:,}"
    return "" if storage.sha256(shard.file) == shard.sha256 else "has another checksum than the index lists"
