"""The user's own pictures: pairs in two folders, sharp photographs, or both."""

import logging
import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import get_args

from deblurlab.checks import require
from deblurlab.checks.words import counted
from deblurlab.data.arrays import Floats
from deblurlab.data.batches.crops import Crops
from deblurlab.data.batches.frame_reader import OnError
from deblurlab.data.blur.camera import CameraBlur
from deblurlab.data.modules.streamed import PairedFrames
from deblurlab.data.sources.blurred_photographs import BlurKind, BlurredPhotographs
from deblurlab.data.sources.camera_photographs import CameraPhotographs
from deblurlab.data.sources.joined_source import JoinedSource
from deblurlab.data.sources.own_pictures import HELP, Found, OwnPicture, find_pictures, hold_out_pictures
from deblurlab.data.sources.pair_source import WHOLE_PICTURES, PairSource
from deblurlab.data.sources.picture_files import FilePair
from deblurlab.data.sources.picture_pairs import PicturePairs
from deblurlab.data.sources.usable_pictures import usable
from deblurlab.data.splits import EVALUATION_SEEDS
from deblurlab.interfaces import Split
from deblurlab.pictures.folders import listed

log = logging.getLogger(__name__)


class Folder(PairedFrames):
    """The user's pictures, of any size, cut to whole patches; the test uses the area that these cover.

    Without a folder ``test``, an eighth of the pictures is held out for testing. An eighth of the rest is held out for
    validation. Pairs in one subfolder are treated as one sequence, which is held out as a whole.

    Args:
        root: The folder.
        patch: Height and width of a patch, or the side of a square.
        whole_pictures: Test whole pictures, of any size, one at a time per device, rather than the part that whole
            patches cover, patch by patch.
        batch_size: See :class:`PairedFrames`.
        blur: How sharp photographs are blurred: "gaussian", "shake" (the path of a hand-held camera), "both", each
            with the ranges of the next three arguments, or a :class:`CameraBlur`, which has ranges of its own.
        sigma_max: The largest sigma of the Gaussian, in pixels.
        shake_max: The longest camera path, in pixels.
        noise_max: The largest standard deviation of the noise that a photograph gets after the blur, in 8-bit steps.
        pairs_share: The share of the training patches that is cut from pairs, between 0 and 1, if there are both pairs
            and photographs. Patches of the kind with too few of them come up more than once in an epoch; those of
            photographs with a different blur each time if ``blur`` is a :class:`CameraBlur`. None uses each patch once.
        seed, workers, mixed_frames, on_error, rotations, crops: See :class:`PairedFrames`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        *,
        root: str,
        patch: int | Sequence[int],
        batch_size: int,
        whole_pictures: bool = False,
        blur: BlurKind | CameraBlur = "both",
        sigma_max: float = 3.0,
        shake_max: float = 15.0,
        noise_max: float = 0.0,
        pairs_share: float | None = None,
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
        if not isinstance(blur, CameraBlur):
            require.one_of("data.blur", blur, get_args(BlurKind))
        if not (0 < sigma_max < math.inf and 1 <= shake_max < math.inf):  # NaN is refused, too
            raise ValueError(
                f"data.sigma_max must be positive and data.shake_max at least 1, got {sigma_max} and {shake_max}."
            )
        if not 0 <= noise_max < math.inf:
            raise ValueError(f"data.noise_max must be a number from 0 on, got {noise_max}.")
        if pairs_share is not None and not 0 < pairs_share < 1:
            raise ValueError(f"data.pairs_share must be between 0 and 1, both excluded, got {pairs_share}.")
        self.root, self.patch = Path(root).expanduser(), require.patch("data.patch", patch)
        self.blur, self.sigma_max, self.shake_max, self.noise_max = blur, sigma_max, shake_max, noise_max
        self.pairs_share, self.whole_pictures = pairs_share, whole_pictures
        self._found: dict[Path, Found] = {}
        self._opened: dict[Split, list[OwnPicture]] = {}

    def setup(self, stage: str) -> None:
        """Find the pictures, see :class:`PairedFrames`; before a test, log how many of them it is on."""
        super().setup(stage)
        if stage == "test" and not self._has_splits:
            out, whole = (len(pictures) for pictures in (self._fit_and_test[1], self._in(self.root).pictures))
            log.info(
                f"data.root={self.root}: {out} of {counted(whole, 'picture')} {'is' if out == 1 else 'are'} held out "
                "for testing; all pictures of a folder test/ in it would be tested"
            )

    def patch_of(self, split: Split) -> tuple[int, int]:
        """Height and width of a split's patches; ``WHOLE_PICTURES`` if its pictures are not cut."""
        return WHOLE_PICTURES if self.whole_pictures and split == "test" else self.patch

    def open(self, split: Split) -> PairSource:
        pictures = self.pictures(split)
        patch = self.patch_of(split)
        if self.on_error == "skip":
            pictures = usable(pictures, patch, f"data.root={self.root}, pictures of split {split}")
        pairs = [picture for picture in pictures if isinstance(picture, FilePair)]
        photographs = [picture for picture in pictures if isinstance(picture, Path)]
        self._opened[split] = [*pairs, *photographs]
        sources: list[PairSource] = []
        if pairs:
            sources.append(PicturePairs(pairs, patch=patch))
        if photographs:
            sources.append(self._blurred(photographs, patch, split))
        if len(sources) == 2:
            return JoinedSource(sources, first_share=self.pairs_share)
        if self.pairs_share is not None and split == "train":
            kind = "photographs" if photographs else "pairs"
            raise ValueError(
                f"data.pairs_share={self.pairs_share}: data.root={self.root} holds {kind} alone to train on."
            )
        return sources[0]

    def identities(self, split: Split) -> list[str]:
        """The path of each picture in ``root``, of a pair that of the sharp one. Names in tables may be shorter."""
        self.source(split)
        files = (picture.sharp if isinstance(picture, FilePair) else picture for picture in self._opened[split])
        return [file.relative_to(self.root).as_posix() for file in files]

    def repeats(self) -> Floats | None:
        source = self.source("train")
        return source.repeats if isinstance(source, JoinedSource) else None

    def _blurred(self, photographs: list[Path], patch: tuple[int, int], split: Split) -> PairSource:
        seed = self.seed if split == "train" else EVALUATION_SEEDS[split]
        fixed = split != "train"
        if isinstance(self.blur, CameraBlur):
            return CameraPhotographs(photographs, patch=patch, blur=self.blur, seed=seed, fixed=fixed)
        return BlurredPhotographs(
            photographs,
            patch=patch,
            blur=self.blur,
            sigma_max=self.sigma_max,
            shake_max=self.shake_max,
            noise_max=self.noise_max,
            seed=seed,
            fixed=fixed,
        )

    def pictures(self, split: Split) -> list[OwnPicture]:
        """The pairs and photographs of a split, whether they can be used or not.

        Raises:
            ValueError: As for :meth:`unambiguous`, or if there are :meth:`problems`.
        """
        if problems := self.problems(split):
            raise ValueError(f"{listed(problems)} {HELP}")
        return self.unambiguous(split)

    def problems(self, split: Split) -> list[str]:
        """The problems of the folder from which a split is taken, see :class:`Found`."""
        folder = self.root / ("test" if split == "test" else "train") if self._has_splits else self.root
        return self._in(folder).problems

    def unambiguous(self, split: Split) -> list[OwnPicture]:
        """The pairs and photographs of a split without those that are among its :meth:`problems`.

        Raises:
            ValueError: If there are none, or there are too few to hold one out.
        """
        if split == "test":
            return self._in(self.root / "test").pictures if self._has_splits else self._fit_and_test[1]
        return self._train_and_val[0] if split == "train" else self._train_and_val[1]

    def _in(self, folder: Path) -> Found:
        """The pictures in a folder, found at the first call."""
        if folder not in self._found:
            self._found[folder] = find_pictures(folder)
        return self._found[folder]

    @property
    def tests_only(self) -> bool:
        """Whether there is a folder ``test`` alone, which is enough for evaluate."""
        return (self.root / "test").is_dir() and not (self.root / "train").is_dir()

    @cached_property
    def _has_splits(self) -> bool:
        return (self.root / "train").is_dir() or (self.root / "test").is_dir()

    @cached_property
    def _fit_and_test(self) -> tuple[list[OwnPicture], list[OwnPicture]]:
        return hold_out_pictures(self._in(self.root).pictures, f"data.root={self.root}", "testing")

    @cached_property
    def _train_and_val(self) -> tuple[list[OwnPicture], list[OwnPicture]]:
        pictures = self._in(self.root / "train").pictures if self._has_splits else self._fit_and_test[0]
        return hold_out_pictures(pictures, f"data.root={self.root}", "validation")
