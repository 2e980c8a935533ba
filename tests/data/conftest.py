"""Small data sets in the official layouts, made of smooth random pictures; and where the real frames are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter

from deblurlab.data import Layout

REDS_LAYOUT = Layout(
    title="REDS",
    page="https://example.org/reds",
    train=("train/train_blur/{sequence}", "train/train_sharp/{sequence}"),
    test=("val/val_blur/{sequence}", "val/val_sharp/{sequence}"),
    example=("000", "00000000.png"),
    published=(24000, 3000),
)


def picture(seed: int, height: int = 36, width: int = 64) -> npt.NDArray[np.uint8]:
    """A random picture with structure at several scales, (H, W, 3)."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((width, height))
    fine = rng.integers(-20, 21, (height, width, 3))
    return (np.asarray(coarse).astype(np.int64) + fine).clip(0, 255).astype(np.uint8)


def write_reds(root: Path, *, sequences: int, frames: int, test_sequences: int) -> Path:
    """Write a REDS tree of pictures to ``root``; returns it."""
    seed = 0
    for split, count in (("train", sequences), ("val", test_sequences)):
        for sequence in range(count):
            for frame in range(frames):
                sharp = Image.fromarray(picture(seed))
                seed += 1
                for side, image in (("sharp", sharp), ("blur", sharp.filter(ImageFilter.GaussianBlur(2)))):
                    file = root / split / f"{split}_{side}" / f"{sequence:03}" / f"{frame:08}.png"
                    file.parent.mkdir(parents=True, exist_ok=True)
                    image.save(file)
    return root


@pytest.fixture
def make_reds(tmp_path: Path) -> Callable[..., Path]:
    """Writes a REDS tree of ``sequences`` x ``frames`` pictures and returns its root."""

    def make(sequences: int = 2, frames: int = 3, test_sequences: int = 1, root: Path = tmp_path / "reds") -> Path:
        return write_reds(root, sequences=sequences, frames=frames, test_sequences=test_sequences)

    return make
