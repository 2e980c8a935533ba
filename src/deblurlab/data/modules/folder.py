"""The user's own pictures: pairs in two folders, sharp photographs, or both."""

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import get_args

from deblurlab.data.batches.patch_loader import OnError
from deblurlab.data.modules.streamed import PairedFrames
from deblurlab.data.sources.frames import Source
from deblurlab.data.sources.layouts import FramePair, held_out, image_tree
from deblurlab.data.sources.photographs import Blur, BlurredPhotographs, Joined, PicturePairs, grid
from deblurlab.interfaces import Split

log = logging.getLogger(__name__)

_HELP = """\
Expected below data.root:
  blurred/... and sharp/...   pairs: the same relative path on both sides; or
  any pictures                sharp photographs, blurred on the fly; beside pairs, in photographs/
either directly or once in train/ and once in test/; evaluate needs test/ alone."""

_BLUR_SEEDS: dict[Split, int] = {"val": 1, "test": 2}


class Folder(PairedFrames):
    """Pictures of any size, cut to whole patches; tested as a whole, as far as whole patches cover them.

    Without a folder ``test``, an eighth of the pictures is held out for testing; an eighth of the rest is for
    validation. Pairs in subfolders are taken for sequences, which are held out as a whole.

    Args:
        root: the folder.
        patch: height and width of a patch.
        blur: how sharp photographs get blurred: "gaussian", "shake" (a hand-held camera's path), or "both".
        sigma_max: the widest Gaussian, in pixels.
        shake_max: the longest camera path, in pixels.
        noise_max: the most noise that a photograph gets after the blur: a standard deviation, in 8-bit steps.
        batch_size, seed, workers, mixed_frames, on_error: see :class:`PairedFrames`.
    """

    def __init__(
        self,
        *,
        root: str,
        patch: Sequence[int] = (96, 96),
        blur: Blur = "both",
        sigma_max: float = 3.0,
        shake_max: float = 15.0,
        noise_max: float = 0.0,
        batch_size: int = 32,
        seed: int = 0,
        workers: int = 2,
        mixed_frames: int = 16,
        on_error: OnError = "raise",
    ) -> None:
        super().__init__(
            batch_size=batch_size, seed=seed, workers=workers, mixed_frames=mixed_frames, on_error=on_error
        )
        if blur not in get_args(Blur):
            raise ValueError(f"data.blur must be one of {', '.join(get_args(Blur))}, got {blur}.")
        if sigma_max <= 0 or shake_max < 1:
            raise ValueError(
                f"data.sigma_max must be positive and data.shake_max at least 1, got {sigma_max} and {shake_max}."
            )
        if noise_max < 0:
            raise ValueError(f"data.noise_max must not be negative, got {noise_max}.")
        if len(patch) != 2 or min(patch) < 11:
            raise ValueError(f"data.patch must be [height,width], each at least 11 (SSIM's window), got {list(patch)}.")
        self.root, self.patch = Path(root).expanduser(), (patch[0], patch[1])
        self.blur, self.sigma_max, self.shake_max, self.noise_max = blur, sigma_max, shake_max, noise_max

    def open(self, split: Split) -> Source:
        pictures = self._pictures(split)
        if self.on_error == "skip":
            pictures = [picture for picture in pictures if self._readable(picture)]
            if not pictures:
                raise ValueError(f"data.root={self.root}: no picture for {split} can be used.")
        pairs = [picture for picture in pictures if isinstance(picture, FramePair)]
        photographs = [picture for picture in pictures if isinstance(picture, Path)]
        sources: list[Source] = []
        if pairs:
            sources.append(PicturePairs(pairs, patch=self.patch))
        if photographs:
            blurred = BlurredPhotographs(
                photographs,
                patch=self.patch,
                blur=self.blur,
                sigma_max=self.sigma_max,
                shake_max=self.shake_max,
                noise_max=self.noise_max,
                seed=_BLUR_SEEDS.get(split, self.seed),
                fixed=split != "train",
            )
            sources.append(blurred)
        return sources[0] if len(sources) == 1 else Joined(sources)

    def _pictures(self, split: Split) -> list[FramePair | Path]:
        if split == "test":
            return _pictures(self.root / "test") if self._has_test else self._all[1]
        return self._fit[0] if split == "train" else self._fit[1]

    @cached_property
    def _has_test(self) -> bool:
        return (self.root / "train").is_dir() or (self.root / "test").is_dir()

    @cached_property
    def _all(self) -> tuple[list[FramePair | Path], list[FramePair | Path]]:
        return _divide(_pictures(self.root), f"data.root={self.root}", "testing")

    @cached_property
    def _fit(self) -> tuple[list[FramePair | Path], list[FramePair | Path]]:
        chosen = _pictures(self.root / "train") if self._has_test else self._all[0]
        return _divide(chosen, f"data.root={self.root}", "validation")

    def _readable(self, picture: FramePair | Path) -> bool:
        try:
            grid(picture.sharp if isinstance(picture, FramePair) else picture, self.patch)
        except ValueError as error:
            log.warning(f"data.on_error=skip: {error}")
            return False
        return True


def _pictures(folder: Path) -> list[FramePair | Path]:
    """The pairs of a folder, or its photographs."""
    if not folder.is_dir():
        raise ValueError(f"data.root: there is no folder {folder}. {_HELP}")
    if not ((folder / "blurred").is_dir() or (folder / "sharp").is_dir()):
        if photographs := list(image_tree(folder).values()):
            return list(photographs)
        raise ValueError(f"{folder} holds no pictures. {_HELP}")
    blurred, sharp = image_tree(folder / "blurred"), image_tree(folder / "sharp")
    for have, lack, side in ((blurred, sharp, "sharp"), (sharp, blurred, "blurred")):
        if alone := sorted(have.keys() - lack.keys()):
            raise ValueError(f"{folder / side} lacks {len(alone)} pictures, first {alone[0]}. {_HELP}")
    if not sharp:
        raise ValueError(f"{folder / 'blurred'} and {folder / 'sharp'} hold no pictures. {_HELP}")
    pairs = [FramePair(str(Path(name).parent), Path(name).name, blurred[name], sharp[name]) for name in sharp]
    return [*pairs, *image_tree(folder / "photographs").values()]


def _divide(
    pictures: list[FramePair | Path], title: str, purpose: str
) -> tuple[list[FramePair | Path], list[FramePair | Path]]:
    """Pictures to keep and pictures to hold out, of pairs and of photographs alike. Photographs are all different:
    each is its own sequence.
    """
    kept: list[FramePair | Path] = []
    out: list[FramePair | Path] = []
    for kind in (FramePair, Path):
        chosen = [picture for picture in pictures if isinstance(picture, kind)]
        sequences = [picture.sequence if isinstance(picture, FramePair) else str(picture) for picture in chosen]
        if len(sequences) < 8 and kind is Path:
            sequences = ["photographs"] * len(sequences)
        for picture, held in zip(chosen, held_out(sequences, title, purpose) if chosen else (), strict=True):
            (out if held else kept).append(picture)
    return kept, out
