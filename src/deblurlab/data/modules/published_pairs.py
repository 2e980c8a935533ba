"""Pairs of pictures as their authors publish them, at their own size: RealBlur, RSBlur, HIDE, BSD, DPDD, ..."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from deblurlab.checks import require
from deblurlab.data.batches.crops import Crops
from deblurlab.data.batches.frame_reader import OnError
from deblurlab.data.modules.streamed import PairedFrames
from deblurlab.data.sources.layouts import Layout, find_frames
from deblurlab.data.sources.listed_layouts import ListedLayout
from deblurlab.data.sources.pair_source import WHOLE_PICTURES, PairSource
from deblurlab.data.sources.picture_files import FilePair
from deblurlab.data.sources.picture_pairs import PicturePairs
from deblurlab.data.sources.usable_pictures import usable
from deblurlab.data.splits import divided, hold_out_sequences
from deblurlab.interfaces import Split


class PublishedPairs(PairedFrames):
    """Published pairs of any size, cut to whole patches; the test uses the area that these cover.

    An eighth of the training sequences is held out for validation, unless the layout has a split for it.

    Args:
        root: The folder of the data set.
        layout: The folders or lists of the data set within ``root``.
        patch: Height and width of a patch, or the side of a square.
        whole_pictures: Test whole pictures, of any size, one at a time per device, rather than the part that whole
            patches cover, patch by patch.
        batch_size: See :class:`PairedFrames`.
        seed, workers, mixed_frames, on_error, rotations, crops: See :class:`PairedFrames`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        *,
        root: str,
        layout: Layout | ListedLayout,
        patch: int | Sequence[int],
        batch_size: int,
        whole_pictures: bool = False,
        seed: int = 0,
        workers: int = 2,
        mixed_frames: int = 16,
        on_error: OnError = "raise",
        rotations: bool = False,
        crops: Crops = None,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            seed=seed,
            workers=workers,
            mixed_frames=mixed_frames,
            on_error=on_error,
            rotations=rotations,
            crops=crops,
        )
        self.root, self.layout, self.patch = Path(root).expanduser(), layout, require.patch("data.patch", patch)
        self.whole_pictures = whole_pictures

    def open(self, split: Split) -> PairSource:
        pairs = self._pairs(split)
        patch = WHOLE_PICTURES if self.whole_pictures and split == "test" else self.patch
        if self.on_error == "skip":
            pairs = usable(pairs, patch, f"data.root={self.root}, pairs of split {split}")
        return PicturePairs(pairs, patch=patch)

    def published(self, split: Split) -> Split:
        return split if "val" in self.layout.counts() else super().published(split)

    def _pairs(self, split: Split) -> list[FilePair]:
        if split == "test" or "val" in self.layout.counts():
            return find_frames(self.root, split, self.layout)
        return self._train_and_val[0] if split == "train" else self._train_and_val[1]

    @cached_property
    def _train_and_val(self) -> tuple[list[FilePair], list[FilePair]]:
        """The published training pairs, divided."""
        pairs = find_frames(self.root, "train", self.layout)
        return divided(pairs, hold_out_sequences([pair.sequence for pair in pairs], self.layout.title))
