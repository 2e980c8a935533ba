"""Scores pictures that another program has restored: the files of a folder, named as a data set's test images."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deblurlab import pictures
from deblurlab.checks.words import counted
from deblurlab.data.pixels import decode_file
from deblurlab.data.sources.picture_files import image_tree, same_name
from deblurlab.interfaces import Evaluable, Pair
from deblurlab.losses import LogCosh
from deblurlab.metrics.means import ImageScores, score
from deblurlab.metrics.scores import without_zero_counts
from deblurlab.pictures.folders import LeftOut

log = logging.getLogger(__name__)


class StoredPictures:
    """The restored pictures of a folder, one for each test image of a data set.

    The picture of the image ``SEQUENCE/000001`` is ``SEQUENCE/000001``, ``SEQUENCE_000001`` or ``SEQUENCE-000001``,
    with the suffix of any picture format.

    Args:
        folder: The folder of the pictures.
        names: The names of the test images, as the data module's labels give them.
        whole: Whether the test is on whole images. Otherwise it is on the part of each image that whole patches cover,
            without a border at the right and at the bottom.

    Raises:
        ValueError: If the folder is missing, or has no picture for one of the images; the message names one.
    """

    def __init__(self, folder: Path, names: Sequence[str], *, whole: bool) -> None:
        if not folder.is_dir():
            raise ValueError(f"restored={folder}: there is no such folder.")
        left_out = LeftOut(pictures.SUFFIXES)
        tree = {same_name(name): file for name, file in image_tree(folder, left_out).items()}
        for line in left_out.lines():
            log.info(f"{folder}: {line}")
        left_out.require_unambiguous()
        found = [next((tree[one] for one in _spellings(name) if one in tree), None) for name in names]
        missing = [name for name, file in zip(names, found, strict=True) if file is None]
        if missing:
            own = f" It has {next(iter(tree))}, for example." if tree else " It has no pictures at all."
            raise ValueError(
                f"restored={folder} lacks the pictures of {counted(len(missing), 'test image')}, such as {missing[0]}. "
                f"The names are {' or '.join(_spellings(missing[0]))}, with the suffix of a picture.{own}"
            )
        self.files = [file for file in found if file is not None]
        self.whole, self._told = whole, False

    def read(self, rows: Sequence[int], pair: Pair) -> Tensor:
        """Read the pictures of some test images.

        Args:
            rows: The numbers of the images.
            pair: The same images of the data set. Images that were cut to whole patches, or several of different sizes
                to the size that they have in common, lack the right and the lower border of the files, and so does the
                result.

        Returns:
            (B, 3, H, W) float32 in [0, 1], of the same size as the pair's.

        Raises:
            ValueError: If a file cannot be read, or has another size than the image.
        """
        height, width = pair.sharp.shape[-2:]
        read = []
        for row in rows:
            pixels = decode_file(self.files[row])
            border = (pixels.shape[0] - height, pixels.shape[1] - width)
            # The border that patches leave is narrower than one of them. Several images are cut to the size of the
            # smallest of them, so that only an image by itself shows the border.
            limits = (1, 1) if self.whole else (height // pair.grid[0], width // pair.grid[1])
            too_large = len(rows) == 1 and any(more >= limit for more, limit in zip(border, limits, strict=True))
            if too_large or min(border) < 0:
                raise ValueError(
                    f"{self.files[row]} has {pixels.shape[1]}x{pixels.shape[0]} pixels, and the sharp image "
                    f"{width}x{height}. Choose the data of the size at which the pictures were restored."
                )
            if len(rows) == 1 and max(border) > 0 and not self._told:
                log.info(
                    f"{self.files[row]}: of its {pixels.shape[1]}x{pixels.shape[0]} pixels the upper left "
                    f"{width}x{height} are scored, the part of the sharp image that whole patches cover. "
                    "data.whole_pictures=true scores whole pictures."
                )
                self._told = True
            read.append(pixels[:height, :width])
        return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2) / 255


def score_stored(
    stored: StoredPictures, data: Evaluable, further: Mapping[str, nn.Module], *, progress: Callable[[int], object]
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Score the stored and the blurred pictures of a test set one by one, on the CPU. The loss is LogCosh.

    Args:
        stored: The pictures of all test images.
        data: The data module of the test images.
        further: Further scores by name; each takes restored and sharp images and returns one value per image.
        progress: Called with 1 after each picture.

    Returns:
        The means, named as a test logs them: ``test/restored/ssim``, ``test/blurred/ssim`` and so on. And the scores of
        each image, one column per score: ``restored_ssim`` and so on.
    """
    loss, means = LogCosh(), {version: ImageScores([*further]) for version in ("restored", "blurred")}
    per_image: dict[str, list[float]] = {}
    for row in range(len(stored.files)):
        pair = data.examples("test", [row])
        for version, images in (("restored", stored.read([row], pair)), ("blurred", pair.blurred)):
            with torch.inference_mode():
                scores = score(images, pair.sharp, loss) | {
                    name: metric(images, pair.sharp) for name, metric in further.items()
                }
            means[version].update(scores, pair.valid)
            for name, values in scores.items():
                per_image.setdefault(f"{version}_{name}", []).extend(values.tolist())
        progress(1)
    computed = {
        f"test/{version}/{name}": float(value)
        for version, scores in means.items()
        for name, value in without_zero_counts(scores.compute()).items()
    }
    return computed, per_image


def image_names(labels: Mapping[str, Sequence[Any]], data: str) -> list[str]:
    """The names of the test images of a data set.

    Raises:
        ValueError: If they have none.
    """
    if "frame" not in labels:
        raise ValueError(
            f"restored=FOLDER needs test images with file names, which data={data} does not have. "
            "Choose data=gopro_full, data=reds_full, data=folder or another data set of files."
        )
    return [PurePosixPath(name).as_posix() for name in labels["frame"]]  # of ./0001, which lies in no folder, 0001


def _spellings(name: str) -> list[str]:
    """The names without suffix that a file of the image ``name`` may have."""
    stem = same_name(str(Path(name).with_suffix("")) if Path(name).suffix.lower() in pictures.SUFFIXES else name)
    return list(dict.fromkeys((stem, stem.replace("/", "_"), stem.replace("/", "-"))))
