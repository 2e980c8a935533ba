"""Checksums, which detect a damaged file."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import torch
from torch import Tensor


def checksum(network: str, tensors: Mapping[str, Tensor]) -> str:
    """The SHA-256 of a network's configuration and tensors, as hexadecimal digits.

    Args:
        network: The configuration of the network, as the text in the file.
        tensors: Parameters and buffers by name, on the CPU. Their order does not matter.
    """
    digest = hashlib.sha256(network.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def require_whole_archive(file: str | Path) -> None:
    """Compare the parts of a file of ``torch.save`` with the checksums in it, which torch itself does not do.

    A file that is not a ZIP archive is accepted here; reading it gives a better message.

    Raises:
        ValueError: If a part is damaged; the message names it.
    """
    if is_zipfile(file):
        with ZipFile(file) as archive:
            if (damaged := archive.testzip()) is not None:
                raise ValueError(f"its part {damaged[:200]} is not what was written")
