"""CIFAR-10 from torchvision's archive or from Parquet files in the Hugging Face layout."""

import io
import logging
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor
from torchvision import datasets

from deblurlab.data.modules.in_memory import BlurredImages
from deblurlab.interfaces import Split

log = logging.getLogger(__name__)

_VALIDATION_SHARE = 0.125


def _decode(row: tuple[str, int, bytes]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    file, number, encoded = row
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except Exception as error:
        raise ValueError(f"{file}: the image in row {number} cannot be read ({error}). Get the file again.") from error
    if pixels.shape != (32, 32, 3):
        raise ValueError(f"{file}: the image in row {number} is {pixels.shape}, CIFAR-10's are 32x32 RGB.")
    return pixels


def read_parquet(files: list[str], filesystem: fsspec.AbstractFileSystem) -> Tensor:
    """Images of Parquet files with the column ``img {bytes, path}``: (N, 3, 32, 32) uint8.

    Raises:
        ValueError: naming the file, and the row of an image that cannot be read.
    """

    def rows(file: str) -> list[tuple[str, int, bytes]]:
        try:
            with filesystem.open(file, "rb") as stream:
                column = pq.read_table(stream, columns=["img"]).column("img").combine_chunks()
            encoded = column.field("bytes").to_pylist()
        except (pa.ArrowException, KeyError, OSError) as error:
            raise ValueError(
                f"{file} is no Parquet file of CIFAR-10 images (column img {{bytes, path}}): {error}. "
                "Get the file again."
            ) from error
        return [(file, number, image) for number, image in enumerate(encoded)]

    with ThreadPoolExecutor() as pool:
        images = np.stack(list(pool.map(_decode, chain.from_iterable(map(rows, files)))))
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


class CIFAR10(BlurredImages):
    """CIFAR-10 (Krizhevsky, 2009): 43,750 training, 6,250 validation and 10,000 test images, 32x32.

    Args:
        root: a folder or any URL that fsspec opens. Parquet files below it named ``*train*`` and ``*test*``
            are read (the layout of the Hugging Face data set uoft-cs/cifar10); otherwise it must be a local
            folder, where torchvision's archive is looked for and downloaded to.
        batch_size, sigma_range, fixed_blur, seed, workers: see :class:`BlurredImages`.
    """

    def __init__(
        self,
        *,
        root: str,
        batch_size: int = 256,
        sigma_range: tuple[float, float] = (0.0, 3.0),
        fixed_blur: bool = False,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__(
            batch_size=batch_size, sigma_range=sigma_range, fixed_blur=fixed_blur, seed=seed, workers=workers
        )
        self.root = root
        self._official: dict[bool, Tensor] = {}

    def load(self, split: Split) -> Tensor:
        if split == "test":
            return self._read(train=False)
        images = self._read(train=True)
        order = torch.from_numpy(np.random.default_rng(0).permutation(len(images)))
        validation = round(_VALIDATION_SHARE * len(images))
        return images[order[:validation] if split == "val" else order[validation:]]

    def _read(self, *, train: bool) -> Tensor:
        if train not in self._official:
            filesystem, path = fsspec.core.url_to_fs(str(self.root))
            files = sorted(filesystem.glob(f"{path}/**/*{'train' if train else 'test'}*.parquet"))
            self._official[train] = read_parquet(files, filesystem) if files else self._read_archive(train=train)
        return self._official[train]

    def _read_archive(self, *, train: bool) -> Tensor:
        if "://" in str(self.root):
            raise ValueError(f"{self.root} holds no Parquet files of CIFAR-10 (*train*.parquet, *test*.parquet).")
        if not (root := Path(self.root).expanduser()).joinpath("cifar-10-batches-py").is_dir():
            log.info(f"CIFAR-10 is not in {root}: downloading 170 MB")
        try:
            data = datasets.CIFAR10(root, train=train, download=True).data
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"CIFAR-10 is not in {self.root} and could not be downloaded ({error}). Put there the folder "
                "cifar-10-batches-py from https://www.cs.toronto.edu/~kriz/cifar.html, or point data.root at "
                "Parquet files in the layout of the Hugging Face data set uoft-cs/cifar10."
            ) from error
        return torch.from_numpy(data).permute(0, 3, 1, 2).contiguous()
