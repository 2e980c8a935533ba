"""Pairs read from files as they are needed: the base of REDS, GOPRO and the user's own pictures."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from lightning.pytorch import LightningDataModule

from deblurlab.checks import require
from deblurlab.data.arrays import Floats, Integers
from deblurlab.data.batches.crops import Crops, crop_side, largest_side, require_crops
from deblurlab.data.batches.epoch_plan import EpochPlan, evaluation_plan, every_patch, training_plan
from deblurlab.data.batches.flips import flip
from deblurlab.data.batches.frame_reader import OnError
from deblurlab.data.batches.host import Host
from deblurlab.data.batches.patch_loader import PairBatch, PatchLoader
from deblurlab.data.modules.changed_frames import tell_changed_frames
from deblurlab.data.modules.plain_loop import pairs
from deblurlab.data.modules.trainer_facts import epoch_of, host_of
from deblurlab.data.sources.pair_source import (
    WHOLE_PICTURES,
    PairSource,
    PixelPair,
    cut_out,
    network_grid,
    patch_window,
)
from deblurlab.interfaces import Pair, Split


class PairedFrames(LightningDataModule):
    """Abstract: trains and validates on the patches of frames, tests on whole frames.

    Order and flips are drawn again in every epoch, from ``seed`` and the epoch's number alone. A test batch holds whole
    frames and the grid of patches in which the network restores them; the reassembled frames are scored.

    Args:
        batch_size: The number of patches per step, over all devices of all hosts. A test batch holds whole frames with
            about as many patches, but at least one frame per device.
        seed: Seed of the training draws.
        workers: The number of threads that read frames.
        mixed_frames: The number of frames over which patches are shuffled, and which are held in memory.
        on_error: "raise" stops at a broken frame; "skip" warns, counts it, and replaces it by another frame.
        rotations: Train on one of the eight flips and rotations of each patch instead of one of the four flips.
        crops: Train on as many square crops at random places instead of the patches of the grid: their side in pixels,
            or ``{0: 64, 50: 128}`` for sides that change with the epoch.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        seed: int,
        workers: int,
        mixed_frames: int,
        on_error: OnError,
        rotations: bool,
        crops: Crops,
    ) -> None:
        super().__init__()
        require_crops(crops)
        self.rotations, self.crops = rotations, crops
        require.workers("data.workers", workers, at_least=1)
        for name, value in (("batch_size", batch_size), ("mixed_frames", mixed_frames)):
            require.whole_number(f"data.{name}", value, at_least=1)
        require.one_of("data.on_error", on_error, get_args(OnError))
        self.batch_size, self.seed, self.workers = batch_size, seed, workers
        self.mixed_frames, self.on_error = mixed_frames, on_error
        self._devices = 1
        self._sources: dict[Split, PairSource] = {}
        self._skipped: defaultdict[Split, set[int]] = defaultdict(set)

    @abstractmethod
    def open(self, split: Split) -> PairSource:
        """Find the frames of a split."""

    def source(self, split: Split) -> PairSource:
        """The frames of a split, found at the first call."""
        if split not in self._sources:
            self._sources[split] = self.open(split)
        return self._sources[split]

    def setup(self, stage: str) -> None:
        """Find the frames of all splits that a run needs, so that an error comes before hours of training.

        Raises:
            ValueError: If frames are missing, or patches are too small to be scored.
        """
        splits: tuple[Split, ...] = ("train", "val", "test") if stage == "fit" else ("test",)
        for split in splits:
            source = self.source(split)
            if source.patch != WHOLE_PICTURES:  # those are large enough, or there was an error when they were found
                require.large_enough_for_ssim(f"a patch of the split {split}", source.patch)

    def identities(self, split: Split) -> list[str]:
        """A name for each frame of a split, in their order, that no other frame of any split has.

        It stays the same whichever other frames there are, and where a frame is held out in place of trained on.
        """
        source, published = self.source(split), self.published(split)
        return [f"{published}/{source.name(frame)}" for frame in range(len(source.groups))]

    def published(self, split: Split) -> Split:
        """The published split from which a split's frames are taken: some of those for training are held out."""
        return "test" if split == "test" else "train"

    def state_dict(self) -> dict[str, Any]:
        """The names of all frames. Lightning saves them with each checkpoint."""
        return {"frames": {split: self.identities(split) for split in self._sources}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Warn if frames were added or removed since ``state_dict`` was saved.

        The position of the loader is kept: the rest of the epoch has the batches from this number on, in the order of
        the frames that there are now.
        """
        tell_changed_frames(state_dict["frames"], {split: self.identities(split) for split in self._sources})

    def repeats(self) -> Floats | None:
        """How often the patches of each training frame come up in an epoch, on average, (F,); None for once."""
        return None

    def split_over(self, devices: int) -> None:
        """See :class:`deblurlab.interfaces.SplitsBatches`: test batches hold a multiple of ``devices`` frames."""
        self._devices = devices

    def skipped(self, split: Split) -> set[int]:
        """See :class:`deblurlab.interfaces.SkipsFrames`."""
        return self._skipped[split]

    def _host(self) -> Host:
        return host_of(self.trainer)

    def train_dataloader(self) -> PatchLoader:
        """The training batches; ValueError if crops or rotations do not suit the size of the frames or patches."""
        source, host = self.source("train"), self._host()
        smallest = int((source.grids * source.patch).min())
        if (side := largest_side(self.crops)) is not None and side > smallest:
            raise ValueError(f"data.crops={side} is larger than the smallest frame's {smallest} pixels.")
        if self.rotations and self.crops is None and source.patch[0] != source.patch[1]:
            raise ValueError(f"data.rotations=true needs square patches, these are {source.patch}: set data.crops.")

        def plan(epoch: int) -> EpochPlan:
            common = training_plan(
                patches=source.grids.prod(axis=1),
                groups=source.groups,
                batch_size=self.batch_size,
                seed=self.seed,
                epoch=epoch,
                open_groups=source.open_groups,
                mixed_frames=self.mixed_frames,
                rotations=self.rotations,
                side=crop_side(self.crops, epoch),
                repeats=self.repeats(),
            )
            if host.hosts == 1:
                return common
            return common.gathered(source.groups, (self.seed, epoch)).share(host)

        return self._loader("train", plan, epoch_of(self.trainer))

    def val_dataloader(self) -> PatchLoader:
        plan = self._evaluation_plan("val").share(self._host())
        return self._loader("val", lambda _: plan, None)

    def test_dataloader(self) -> PatchLoader:
        plan = self._evaluation_plan("test").share(self._host())
        return self._loader("test", lambda _: plan, None)

    def _loader(self, split: Split, plan: Callable[[int], EpochPlan], epoch: Callable[[], int] | None) -> PatchLoader:
        return PatchLoader(
            self.source(split),
            plan,
            whole=split == "test",
            threads=self.workers,
            on_error=self.on_error,
            skipped=self._skipped[split],
            epoch=epoch,
        )

    def _evaluation_plan(self, split: Literal["val", "test"]) -> EpochPlan:
        """Validation uses patches, frame by frame; the test uses whole frames, grouped by their shape."""
        grids, hosts = self.source(split).grids, self._host().hosts
        counts = grids.prod(axis=1)
        if split == "val":
            frames, patches = every_patch(counts)
            kinds = np.zeros(len(frames), dtype=np.int64)
            return evaluation_plan(frames=frames, patches=patches, kinds=kinds, batch_size=self.batch_size)
        fitting = self._host().share(self.batch_size) // int(counts.max())
        return evaluation_plan(
            frames=np.arange(len(grids)),
            patches=np.zeros(len(grids), dtype=np.int64),
            kinds=np.unique(grids, axis=0, return_inverse=True)[1],
            batch_size=max(1, fitting // self._devices) * self._devices * hosts,
        )

    def batches(self, split: Split, *, epoch: int = 0, device: torch.device | str = "cpu") -> Iterator[Pair]:
        """The batches of a split for your own training loop, without Lightning's Trainer.

        Args:
            split: "train", "val" or "test".
            epoch: The number of the epoch, which determines order and flips of the training batches. Validation and
                test batches are the same in every epoch.
            device: The device to which the batches are moved.

        Returns:
            Batches of ``batch_size`` patches, or of whole frames for "test"; float32 in [0, 1], on ``device``. The
            last batch of "val" or "test" may be filled up with rows whose ``valid`` is False: leave them out of
            scores.

        Raises:
            ValueError: If there is no such split, or the data cannot be read.
        """
        return pairs(self, split, epoch=epoch, device=device)

    def _scored(self, split: Literal["val", "test"]) -> tuple[Integers, Integers, Integers]:
        """The frame, the patch and the number of each image that has scores, in the order of the scores.

        Broken frames have no scores.
        """
        plan = self._evaluation_plan(split)
        scored = plan.valid & ~np.isin(plan.frames, list(self._skipped[split]))
        return plan.frames[scored], plan.patches[scored], plan.numbers[scored]

    def examples(self, split: Literal["val", "test"], rows: Sequence[int]) -> Pair:
        """The images of a split whose indices are ``rows``, in that order, on the CPU. Skipped frames do not count.

        Frames of different shapes are cropped, at the right and at the bottom, to the largest common size.
        """
        source = self.source(split)
        frames, patches, numbers = (items[list(rows)] for items in self._scored(split))
        grid = source.grids[frames].min(axis=0) if split == "test" else np.array((1, 1))
        height, width = (grid * source.patch).tolist()
        cut = []
        for frame, patch, number in zip(frames.tolist(), patches.tolist(), numbers.tolist(), strict=True):
            pixels, columns = source.read(frame, 0), int(source.grids[frame, 1])
            size = source.patch if split == "val" else pixels.sharp.shape[:2]
            window = patch_window(patch, columns=columns, size=size)
            pair = cut_out(source, pixels, window, frame=frame, epoch=0, number=number)
            cut.append(PixelPair(pair.blurred[:height, :width], pair.sharp[:height, :width]))
        blurred, sharp = (torch.from_numpy(np.stack(side)).permute(0, 3, 1, 2) / 255 for side in zip(*cut, strict=True))
        return Pair(blurred, sharp, torch.ones(len(frames), dtype=torch.bool), network_grid(source, grid))

    def labels(self, split: Literal["val", "test"]) -> dict[str, Sequence[Any]]:
        """The frame of each scored image and, where images are patches, which patch of that frame it is."""
        frames, patches, _ = self._scored(split)
        names = [self.source(split).name(frame) for frame in frames.tolist()]
        return {"frame": names} if split == "test" else {"frame": names, "patch": patches.tolist()}

    def on_after_batch_transfer(self, batch: PairBatch, dataloader_idx: int) -> Pair:
        """Flip both images of each pair alike and scale them, on the training device."""
        blurred, sharp = (flip(side.permute(0, 3, 1, 2), batch.flips) / 255 for side in (batch.blurred, batch.sharp))
        return Pair(blurred=blurred, sharp=sharp, valid=batch.valid, grid=batch.grid)
