"""CIFAR-10, from torchvision's archive or from Parquet files in the Hugging Face layout."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor
from torchvision import datasets

from deblurlab.data.batches.crops import Crops
from deblurlab.data.modules.in_memory import BlurredImages
from deblurlab.data.pixels import Pixels, decode
from deblurlab.data.shards.waiting import telling
from deblurlab.data.splits import PublishedSplit, hold_out_images
from deblurlab.interfaces import Split

log = logging.getLogger(__name__)

# Images that a thread decodes at a time: to hand over each by itself would take as long as to decode it.
_AT_ONCE = 500

# The number of images of each split, for estimates without the files.
_COUNTS: dict[Split, int] = {"train": 43_750, "val": 6_250, "test": 10_000}


class CIFAR10(BlurredImages):
    """CIFAR-10 (Krizhevsky, 2009): 43,750 training, 6,250 validation and 10,000 test images, 32x32.

    Args:
        root: A folder, or any URL that fsspec opens. Parquet files below it that are named ``*train*`` and ``*test*``
            are read (the layout of the Hugging Face data set uoft-cs/cifar10). If there are none, the root must be a
            local folder: torchvision's archive is read from it, and downloaded to it if it is missing.
        batch_size, sigma_range, fixed_blur, seed, workers, rotations, crops: See :class:`BlurredImages`.
    """

    def __init__(
        self,
        *,
        root: str,
        batch_size: int,
        sigma_range: tuple[float, float],
        fixed_blur: bool = False,
        seed: int = 0,
        workers: int = 0,
        rotations: bool = False,
        crops: Crops = None,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            sigma_range=sigma_range,
            fixed_blur=fixed_blur,
            seed=seed,
            workers=workers,
            rotations=rotations,
            crops=crops,
        )
        self.root = root
        self._published: dict[PublishedSplit, Tensor] = {}

    def load(self, split: Split) -> Tensor:
        if split == "test":
            return self._read("test")
        images = self._read("train")
        train, val = hold_out_images(len(images))
        return images[torch.from_numpy(val if split == "val" else train)]

    def stand_in(self) -> None:
        """See :class:`deblurlab.interfaces.StandsIn`."""
        for split, count in _COUNTS.items():
            self._images[split] = torch.zeros(1, 3, 32, 32, dtype=torch.uint8).expand(count, -1, -1, -1)

    def _read(self, published: PublishedSplit) -> Tensor:
        """The images of a published split, (N, 3, 32, 32) uint8, read at the first call."""
        if published not in self._published:
            filesystem, files = _parquet_files(str(self.root), published)
            self._published[published] = read_parquet(files, filesystem) if files else self._read_archive(published)
        return self._published[published]

    def _read_archive(self, published: PublishedSplit) -> Tensor:
        if "://" in str(self.root):
            raise ValueError(f"{self.root} holds no Parquet files of CIFAR-10 (*train*.parquet, *test*.parquet).")
        if not (root := Path(self.root).expanduser()).joinpath("cifar-10-batches-py").is_dir():
            log.info(f"CIFAR-10 is not in {root}: downloading 170 MB")
        missing = [folder for folder in (root, *root.parents) if not folder.exists()]
        try:
            data = datasets.CIFAR10(root, train=published == "train", download=True).data
        except (OSError, RuntimeError) as error:
            with suppress(OSError):  # torchvision makes the folders before it tries to download
                for folder in missing:
                    folder.rmdir()
            raise ValueError(
                f"CIFAR-10 is not in {self.root} and could not be downloaded ({error}). Put there the folder "
                "cifar-10-batches-py from https://www.cs.toronto.edu/~kriz/cifar.html, or point data.root at "
                "Parquet files in the layout of the Hugging Face data set uoft-cs/cifar10."
            ) from error
        return torch.from_numpy(data).permute(0, 3, 1, 2).contiguous()


def _parquet_files(root: str, published: PublishedSplit) -> tuple[fsspec.AbstractFileSystem, list[str]]:
    """The file system of a root, and the Parquet files of a published split below it.

    Raises:
        ValueError: If a package is missing for it, or its files cannot be listed; the message names the root.
    """
    try:
        filesystem, path = fsspec.core.url_to_fs(root)
        with telling(f"Looking for Parquet files in {root}", "the bucket's library keeps trying"):
            return filesystem, sorted(filesystem.glob(f"{path}/**/*{published}*.parquet"))
    except ImportError as error:
        extra = {"gs": "gcs", "gcs": "gcs", "s3": "s3"}.get(root.partition("://")[0])
        install = f" Install it with: pip install 'deblurlab[{extra}]'" if extra else ""
        raise ValueError(f"data.root={root} needs a package that is not installed: {error}.{install}") from error
    except Exception as error:  # the libraries of buckets have errors of their own
        raise ValueError(f"data.root={root} cannot be listed: {type(error).__name__}: {error}") from error


def read_parquet(files: list[str], filesystem: fsspec.AbstractFileSystem) -> Tensor:
    """Read the images of Parquet files with the column ``img {bytes, path}``.

    Args:
        files: The paths of the files in ``filesystem``.
        filesystem: The file system.

    Returns:
        (N, 3, 32, 32) uint8.

    Raises:
        ValueError: If a file or an image cannot be read, or there are no images; the message names the file and the
            image's row.
    """

    def rows(file: str) -> list[tuple[bytes, str]]:
        try:
            with filesystem.open(file, "rb") as stream:
                column = pq.read_table(stream, columns=["img"]).column("img").combine_chunks()
            encoded = column.field("bytes").to_pylist()
        except (pa.ArrowException, KeyError, OSError) as error:
            raise ValueError(
                f"{file} is not a Parquet file of CIFAR-10 images (column img {{bytes, path}}): {error}. "
                "Get the file again."
            ) from error
        if not encoded:
            raise ValueError(f"{file} holds no images. Get the file again.")
        return [(image or b"", f"{file}: the image in row {number}") for number, image in enumerate(encoded)]

    encoded = list(chain.from_iterable(map(rows, files)))
    parts = [encoded[start : start + _AT_ONCE] for start in range(0, len(encoded), _AT_ONCE)]
    with ThreadPoolExecutor() as pool:
        images = np.concatenate(list(pool.map(_images, parts)))
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def _images(encoded_and_named: Sequence[tuple[bytes, str]]) -> Pixels:
    """Decode images, each given with its name in errors: (N, 32, 32, 3)."""
    images = []
    for encoded, name in encoded_and_named:
        pixels = decode(encoded, name)
        if pixels.shape != (32, 32, 3):
            raise ValueError(f"{name} is {pixels.shape}, CIFAR-10's are 32x32 RGB.")
        images.append(pixels)
    return np.stack(images)
