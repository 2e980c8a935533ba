"""The figures of a run: curves over epochs and panels of images."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from deblurlab.files.whole_file import whole_file
from deblurlab.interfaces import Pair
from deblurlab.metrics.image import psnr, ssim
from deblurlab.metrics.scores import HEADLINE_SCORES

# Images of this side in pixels and more are drawn with enlarged regions, without which their detail is not seen.
_ENLARGED_FROM = 256


def curves(
    rows: Sequence[Mapping[str, float]], *, title: str = "", blurred: Mapping[str, float] | None = None
) -> Figure:
    """Draw the headline scores of the validation set over epochs, and the training loss with the validation loss.

    Args:
        rows: One mapping per epoch, with ``epoch`` and the logged names, e.g. ``val/ssim``. A name that a row lacks
            leaves a gap.
        title: The title of the whole figure, such as the run's name.
        blurred: The scores of the blurred validation images by name, which are drawn as dashed lines.
    """
    figure = Figure(figsize=(4 * len(HEADLINE_SCORES), 3.6), layout="constrained")
    epochs = [row["epoch"] for row in rows]
    for axes, score in zip(figure.subplots(1, len(HEADLINE_SCORES)), HEADLINE_SCORES, strict=True):
        sources = {"training": "train", "validation": "val"} if score.is_loss else {"validation": "val"}
        for label, source in sources.items():
            values = [row.get(f"{source}/{score.name}", np.nan) for row in rows]
            axes.plot(epochs, values, marker="o" if len(rows) < 3 else "", label=label)
        if blurred and np.isfinite(blurred[score.name]):
            axes.axhline(blurred[score.name], color="0.45", linestyle="--", linewidth=1, label="blurred")
        if score.is_loss and min(axes.dataLim.intervaly) > 0:  # a loss in dB can be negative
            axes.set_yscale("log")
        if score.is_loss or blurred:
            axes.legend()
        axes.set(title=score.axis_label if score.is_loss else f"validation {score.axis_label}", xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
    figure.suptitle(without_formulas(title), fontsize=10)
    return figure


def without_formulas(text: str) -> str:
    """A text in which Matplotlib takes no part for a formula, as it does between two dollar signs."""
    return text.replace("$", r"\$")


def panel(
    columns: Mapping[str, Tensor], captions: Mapping[str, Sequence[str]] | None = None, *, side: float = 2.0
) -> Figure:
    """Draw one row of pictures per image, with one column per version of it.

    Args:
        columns: The images of each version by its title, (N, 3, H, W), all of one shape; they are clamped to [0, 1].
        captions: For the title of a column, N captions to put under its pictures.
        side: The width of a picture in inches.
    """
    rows, _, height, width = next(iter(columns.values())).shape
    figure = Figure(
        figsize=(side * len(columns), side * (height / width + (0.18 if captions else 0.03)) * rows + 0.3),
        layout="constrained",
    )
    grid = figure.subplots(rows, len(columns), squeeze=False)
    for column, (title, images) in enumerate(columns.items()):
        pictures = _to_pixels(images)
        grid[0, column].set_title(without_formulas(title))
        for row in range(rows):
            axes = grid[row, column]
            axes.imshow(pictures[row], interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if captions:  # a column without captions gets empty ones, so that all pictures are equally large
                axes.set_xlabel(captions[title][row] if title in captions else " ", fontsize=8, labelpad=2)
    return figure


def needs_enlarging(pair: Pair) -> bool:
    """Whether details of images are seen in :func:`frame_panel` only, which shows enlarged regions."""
    return pair.grid != (1, 1) or max(pair.sharp.shape[-2:]) >= _ENLARGED_FROM


def score_caption(*, ssim: float, psnr: float) -> str:
    """The line under a picture that says how close it is to the sharp one."""
    return f"SSIM {ssim:.3f}, {psnr:.1f} dB"


def captions(images: Tensor, sharp: Tensor) -> list[str]:
    """:func:`score_caption` of each of N images, (N, 3, H, W); "" for images that equal the sharp ones."""
    scores = zip(ssim(images, sharp).tolist(), psnr(images, sharp).tolist(), strict=True)
    return [score_caption(ssim=one, psnr=other) if np.isfinite(other) else "" for one, other in scores]


def marked_regions(blurred: Tensor, sharp: Tensor, *, count: int = 2) -> list[tuple[int, int, int, int]]:
    """Find the regions in which two images differ most.

    Args:
        blurred: (3, H, W).
        sharp: (3, H, W).
        count: The number of regions. They do not overlap.

    Returns:
        (top, left, height, width) of each region, H // 5 high and W // 5 wide, the most different one first.
    """
    height, width = (side // 5 for side in sharp.shape[-2:])
    error = (blurred - sharp).double().abs().mean(dim=0)
    # The sum over each region is made of four cumulative sums. Pooling would add up all pixels of each region, tens of
    # thousands in a frame of 1280x720.
    until = F.pad(error.cumsum(0).cumsum(1), (1, 0, 1, 0))
    sums = until[height:, width:] - until[:-height, width:] - until[height:, :-width] + until[:-height, :-width]
    regions = []
    for _ in range(count):
        top, left = divmod(int(sums.argmax()), sums.shape[1])
        regions.append((top, left, height, width))
        sums[max(0, top - height) : top + height, max(0, left - width) : left + width] = -1
    return regions


def frame_panel(columns: Mapping[str, Tensor], captions: Mapping[str, Sequence[str]] | None = None) -> Figure:
    """Draw whole frames, each with two marked regions enlarged under it: the same regions in every column.

    Args:
        columns: The frames of each version by its title, (N, 3, H, W), which are clamped to [0, 1]. The regions are
            those where the first and the last version differ most.
        captions: For the title of a column, N captions to put under its frames.
    """
    first, *_, last = columns.values()
    rows, _, height, width = last.shape
    side = min(3.6, 14 / len(columns))
    shape = height / width
    titles = _of_one_height([without_formulas(title) for title in columns])
    heights = [side * shape * 1.55 + 0.25] * rows
    heights[0] += 0.15 + 0.15 * len(titles[0].splitlines())  # the titles stand above the first row
    figure = Figure(figsize=(side * len(columns), sum(heights)), layout="constrained")
    grid = figure.subfigures(rows, len(columns), squeeze=False, wspace=0.01, hspace=0.01, height_ratios=heights)
    colours = ("tab:orange", "tab:cyan")
    for row in range(rows):
        regions = marked_regions(first[row].cpu(), last[row].cpu(), count=len(colours))
        for column, (title, images) in enumerate(columns.items()):
            axes = grid[row, column].subplot_mosaic("AA;BC", height_ratios=(2, 1))
            picture = _to_pixels(images[row : row + 1])[0]
            axes["A"].imshow(picture, interpolation="nearest")
            if row == 0:
                axes["A"].set_title(titles[column], fontsize=9)
            if captions:
                axes["A"].set_xlabel(captions[title][row] if title in captions else " ", fontsize=8, labelpad=2)
            for name, (top, left, high, wide), colour in zip("BC", regions, colours, strict=True):
                axes["A"].add_patch(Rectangle((left, top), wide, high, fill=False, edgecolor=colour, linewidth=1.2))
                axes[name].imshow(picture[top : top + high, left : left + wide], interpolation="nearest")
                axes[name].spines[:].set(edgecolor=colour, linewidth=1.5)
            for one in axes.values():
                one.set(xticks=[], yticks=[])
    return figure


def _of_one_height(titles: Sequence[str]) -> list[str]:
    """Titles with empty lines above the shorter ones: a column with a higher title would have smaller pictures."""
    most = max(title.count("\n") for title in titles)
    return ["\n" * (most - title.count("\n")) + title for title in titles]


def _to_pixels(images: Tensor) -> npt.NDArray[np.uint8]:
    """(N, 3, H, W) images, clamped to [0, 1], as (N, H, W, 3) values from 0 to 255."""
    pixels: npt.NDArray[np.uint8] = (
        (images.detach().float().cpu().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    )
    return pixels


def pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    """Draw a figure, and return its pixels, (H, W, 3)."""
    with io.BytesIO() as stream:
        figure.savefig(stream, format="png", dpi=110)
        return np.asarray(Image.open(stream).convert("RGB"))


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as a PNG file, completely or not at all."""
    with whole_file(path) as partial:
        figure.savefig(partial, format="png", dpi=110)
