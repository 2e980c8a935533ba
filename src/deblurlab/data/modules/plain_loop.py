"""The batches of a data module for your own training loop, without Lightning's Trainer."""

from collections.abc import Iterator
from typing import get_args

import torch
from lightning.pytorch import LightningDataModule

from deblurlab.checks import require
from deblurlab.interfaces import Pair, Split


def pairs(data: LightningDataModule, split: Split, *, epoch: int, device: torch.device | str) -> Iterator[Pair]:
    """A split's batches as a Trainer would feed them: moved to the device, then flipped, blurred and scaled there.

    Args:
        data: A data module of deblurlab.
        split: "train", "val" or "test".
        epoch: The number of the epoch, which determines order, flips and blur; only training batches depend on it.
        device: The device to which the batches are moved.

    Raises:
        ValueError: If there is no such split, or the data cannot be read.
    """
    require.one_of("split", split, get_args(Split))
    loaders = {"train": data.train_dataloader, "val": data.val_dataloader, "test": data.test_dataloader}
    place = torch.device(device)
    on_host = loaders[split]().batches(epoch)
    return (data.on_after_batch_transfer(data.transfer_batch_to_device(batch, place, 0), 0) for batch in on_host)
