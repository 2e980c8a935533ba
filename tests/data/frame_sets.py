"""Data modules of the small frames that :mod:`tests.pictures` writes, and shards prepared of them."""

from pathlib import Path
from typing import Any, get_args

import torch

from deblurlab.data import VideoFrames
from deblurlab.data.batches.patch_loader import PairBatch
from deblurlab.data.preparing.sequences import published_sequences
from deblurlab.data.preparing.write import prepare_sequences
from deblurlab.data.shards.index import Index, Settings
from deblurlab.data.shards.storage import Storage
from deblurlab.data.splits import PublishedSplit
from tests.pictures import REDS_LAYOUT

SETTINGS = Settings("webp", (18, 32), True)


def frames(root: Path | str, **options: Any) -> VideoFrames:
    """A REDS tree, 64x36 cut to 4x3 patches."""
    defaults: dict[str, Any] = {"size": [36, 64], "grid": [3, 4], "batch_size": 8, "workers": 2}
    return VideoFrames(root=str(root), layout=REDS_LAYOUT, **(defaults | options))


def shards(root: Path | str, **options: Any) -> VideoFrames:
    """Shards, or the REDS tree that they were prepared of: 32x18 cut to 2x3 patches."""
    return frames(root, **({"size": [18, 32], "grid": [3, 2]} | options))


def prepared(root: Path, out: Path | str, settings: Settings = SETTINGS, **options: Any) -> Index:
    """Prepares the REDS tree ``root`` as shards in ``out``."""
    data = shards(root, size=settings.size)
    sequences = [
        sequence for split in get_args(PublishedSplit) for sequence in published_sequences(data.pairs(split), split)
    ]
    defaults: dict[str, Any] = {"workers": 2, "skip_broken": False, "progress": lambda _: None}
    return prepare_sequences(sequences, Storage(str(out)), settings, **(defaults | options))


def equal(left: PairBatch, right: PairBatch) -> bool:
    """Whether two batches have the same bits."""
    return all(torch.equal(a, b) for a, b in zip(left[:4], right[:4], strict=True))
