"""Frame pairs read as they are needed: the data module under REDS, GOPRO and users' own pictures."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor

from deblurlab.data.batches.epoch_plan import Host, Integers, Plan, evaluation_plan, training_plan
from deblurlab.data.batches.patch_loader import OnError, PatchLoader, RawPairs
from deblurlab.data.modules.plain_loop import pairs
from deblurlab.data.modules.trainer_facts import epoch_of
from deblurlab.data.pixels import Pixels
from deblurlab.data.sources.frames import Source
from deblurlab.interfaces import Pair, Split


class PairedFrames(LightningDataModule):
    """Abstract: trains and validates on the patches of frames, tests on whole frames.

    Order and flips are drawn anew every epoch from ``seed`` alone. A test batch holds whole frames and the
    grid by which the network gets them cut; the scores are the reassembled frames'.

    Args:
        batch_size: patches a step, over all devices of all hosts. A test batch holds as many, or one frame a device.
        seed: of the training draws.
        workers: threads that read frames.
        mixed_frames: patches are shuffled over this many frames; memory holds as many.
        on_error: "raise" stops at a broken frame; "skip" warns, counts it, and goes on with another.
    """

    def __init__(self, *, batch_size: int, seed: int, workers: int, mixed_frames: int, on_error: OnError) -> None:
        super().__init__()
        for name, value in (("batch_size", batch_size), ("workers", workers), ("mixed_frames", mixed_frames)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"data.{name} must be a whole number from 1, got {value}.")
        if on_error not in ("raise", "skip"):
            raise ValueError(f"data.on_error must be raise or skip, got {on_error}.")
        self.batch_size, self.seed, self.workers = batch_size, seed, workers
        self.mixed_frames, self.on_error = mixed_frames, on_error
        self._devices = 1
        self._sources: dict[Split, Source] = {}
        self._skipped: defaultdict[Split, set[int]] = defaultdict(set)

    def setup(self, stage: str) -> None:
        """Find the frames of every split that a run will come to, before hours of training."""
        splits: tuple[Split, ...] = ("train", "val", "test") if stage == "fit" else ("test",)
        for split in splits:
            self.source(split)

    def split_over(self, devices: int) -> None:
        """See :class:`deblurlab.interfaces.SplitsBatches`: test batches hold a multiple of ``devices`` frames."""
        self._devices = devices

    @abstractmethod
    def open(self, split: Split) -> Source:
        """Find a split's frames."""

    def source(self, split: Split) -> Source:
        """A split's frames, found once."""
        if split not in self._sources:
            self._sources[split] = self.open(split)
        return self._sources[split]

    def _host(self) -> Host:
        return Host(self.trainer.global_rank, self.trainer.world_size) if self.trainer else Host()

    def _share(self) -> int:
        """Patches a step of this host."""
        hosts = self._host().hosts
        if self.batch_size % hosts:
            raise ValueError(f"data.batch_size={self.batch_size} cannot be split over {hosts} hosts.")
        return self.batch_size // hosts

    def train_dataloader(self) -> PatchLoader:
        source = self.source("train")

        def plan(epoch: int) -> Plan:
            return training_plan(
                patches=source.grids.prod(axis=1),
                groups=source.groups,
                batch_size=self._share(),
                seed=self.seed,
                epoch=epoch,
                open_groups=source.open_groups,
                mixed_frames=self.mixed_frames,
                host=self._host(),
            )

        return self._loader("train", plan, epoch_of(self.trainer))

    def _loader(self, split: Split, plan: Callable[[int], Plan], epoch: Callable[[], int] | None) -> PatchLoader:
        return PatchLoader(
            self.source(split),
            plan,
            whole=split == "test",
            workers=self.workers,
            on_error=self.on_error,
            skipped=self._skipped[split],
            epoch=epoch,
        )

    def _evaluation_plan(self, split: Literal["val", "test"], host: Host) -> Plan:
        """Validation takes patches, frame by frame; test takes whole frames, those of one shape together."""
        grids = self.source(split).grids
        counts = grids.prod(axis=1)
        if split == "val":
            return evaluation_plan(
                frames=np.repeat(np.arange(len(counts)), counts),
                patches=np.concatenate([np.arange(count) for count in counts]),
                kinds=np.zeros(counts.sum(), dtype=np.int64),
                batch_size=self._share(),
                host=host,
            )
        fitting = self._share() // int(counts.max())
        return evaluation_plan(
            frames=np.arange(len(grids)),
            patches=np.zeros(len(grids), dtype=np.int64),
            kinds=np.unique(grids, axis=0, return_inverse=True)[1],
            batch_size=max(1, fitting // self._devices) * self._devices,
            host=host,
        )

    def val_dataloader(self) -> PatchLoader:
        return self._loader("val", partial(_same, self._evaluation_plan("val", self._host())), None)

    def test_dataloader(self) -> PatchLoader:
        return self._loader("test", partial(_same, self._evaluation_plan("test", self._host())), None)

    def batches(self, split: Split, *, epoch: int = 0, device: torch.device | str = "cpu") -> Iterator[Pair]:
        """The batches of a split for a loop of one's own, without Lightning's Trainer.

        Args:
            split: "train", "val" or "test".
            epoch: The epoch whose order and flips are drawn. The same epoch gives the same batches, another epoch
                gives others. Validation and test batches are the same in every epoch.
            device: Where the batches are wanted.

        Returns:
            Batches of ``batch_size`` patches, or of whole frames for "test"; float32 in [0, 1], on ``device``. The
            last batch of "val" or "test" may be filled up with rows whose ``valid`` is False: leave them out of
            scores.

        Raises:
            ValueError: if there is no such split, or the data cannot be read.
        """
        return pairs(self, split, epoch=epoch, device=device)

    def _scored(self, split: Literal["val", "test"]) -> tuple[Integers, Integers]:
        """Frame and patch of each image of a split that has scores, those of all hosts, as a batch holds them one
        after the other; broken frames have none.
        """
        hosts = self._host().hosts
        plans = [self._evaluation_plan(split, Host(rank, hosts)) for rank in range(hosts)]
        frames, patches, valid = (
            np.concatenate([getattr(plan, name) for plan in plans], axis=1) for name in ("frames", "patches", "valid")
        )
        whole = valid & ~np.isin(frames, list(self._skipped[split]))
        return frames[whole], patches[whole]

    def examples(self, split: Literal["val", "test"], rows: Sequence[int]) -> Pair:
        """Some images of a split, in the order of ``rows``, on the CPU; frames that were skipped do not count. Frames
        of different shapes are cut at the right and bottom to what they have in common.
        """
        source = self.source(split)
        frames, patches = (items[list(rows)].tolist() for items in self._scored(split))
        grid = source.grids[frames].min(axis=0) if split == "test" else np.array((1, 1))
        height, width = (grid * source.patch).tolist()
        sides: tuple[list[Pixels], list[Pixels]] = ([], [])
        for frame, patch in zip(frames, patches, strict=True):
            down, across = divmod(patch, int(source.grids[frame, 1]))
            window = np.s_[down * height : (down + 1) * height, across * width : (across + 1) * width]
            for side, pixels in zip(sides, source.read(frame, 0), strict=True):
                side.append(pixels[window])
        blurred, sharp = (torch.from_numpy(np.stack(side)).permute(0, 3, 1, 2) / 255 for side in sides)
        return Pair(blurred, sharp, torch.ones(len(frames), dtype=torch.bool), (int(grid[0]), int(grid[1])))

    def labels(self, split: Literal["val", "test"]) -> dict[str, Sequence[Any]]:
        """The frame of each scored image of a split and, of patches, which of that frame's."""
        frames, patches = self._scored(split)
        names = [self.source(split).name(frame) for frame in frames.tolist()]
        return {"frame": names} if split == "test" else {"frame": names, "patch": patches.tolist()}

    def on_after_batch_transfer(self, batch: RawPairs, dataloader_idx: int) -> Pair:
        """Flip both sides alike and scale, on the training device."""
        blurred, sharp = (_prepared(side, batch.flips) for side in (batch.blurred, batch.sharp))
        return Pair(blurred=blurred, sharp=sharp, valid=batch.valid, grid=batch.grid)


def _same(plan: Plan, epoch: int) -> Plan:
    return plan


def _prepared(pixels: Tensor, flips: Tensor) -> Tensor:
    images = pixels.permute(0, 3, 1, 2)
    for dim, flip in ((-1, flips[:, 0]), (-2, flips[:, 1])):
        images = images.where(~flip[:, None, None, None], images.flip(dim))
    return images / 255
