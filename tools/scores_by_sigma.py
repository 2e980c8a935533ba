"""CIFAR-10's scores against the strength of the blur: of tested networks, and of an oracle filter.

    python tools/scores_by_sigma.py CIFAR10 PICTURE [NAME=per_image.csv ...]

CIFAR10 is the folder that data.root names; each per_image.csv is one that `train` or `evaluate` has written for all
test images. Prints a table of the means and one of PSNR and MSE by sigma, and draws all four scores.

The oracle filter is the Wiener filter in the cosine transform for the true kernel of each image, applied to each
channel separately, with the power spectrum of 8,000 training images and the noise of rounding to 8 bits. It is given
the true sigma, so it is not blind, and it needs no training.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from torch import Tensor

from deblurlab.data import CIFAR10
from deblurlab.losses import LogCosh
from deblurlab.metrics.means import score
from deblurlab.metrics.scores import SCORES
from deblurlab.nets.wiener.cosine_transform import CosineTransform
from deblurlab.nets.wiener.deconvolution import ROUNDING
from deblurlab.nets.wiener.gaussian_transfer import gaussian_radius, gaussian_taps, transfer
from deblurlab.nets.wiener.wiener_filter import wiener_filter
from deblurlab.run.results import read_per_image

Columns = Mapping[str, Sequence[float]]
Floats = npt.NDArray[np.float64]
_EDGES = np.linspace(0, 3, 7)
_ORACLE = "oracle filter"


def oracle(data: CIFAR10) -> dict[str, list[float]]:
    """The scores of the oracle filter, in the columns of a per_image.csv."""
    sharp = data.images("train")[:8000] / 255
    power = CosineTransform(sharp)(sharp).square().mean(dim=0, keepdim=True)
    columns: dict[str, list[float]] = {"sigma": data.sigma("test").tolist()}
    done = 0
    for pair in data.batches("test"):
        sigma = torch.tensor(columns["sigma"][done : done + len(pair.sharp)])
        done += len(sigma)
        found = restored(pair.blurred[: len(sigma)], sigma, power)
        for version, images in (("restored", found), ("blurred", pair.blurred[: len(sigma)])):
            for name, values in score(images, pair.sharp[: len(sigma)], LogCosh()).items():
                columns.setdefault(f"{version}_{name}", []).extend(values.tolist())
    return columns


def restored(blurred: Tensor, sigma: Tensor, power: Tensor) -> Tensor:
    """Images (B, C, H, W) deconvolved by their true kernels."""
    transform, taps = CosineTransform(blurred), gaussian_taps(sigma, gaussian_radius(3.0)).taps
    rows, columns = (transfer(taps, length) for length in blurred.shape[-2:])
    factors = (rows[:, :, None] * columns[:, None])[:, None]
    found = wiener_filter(
        transfer=factors,
        slope=torch.zeros_like(factors),
        variance=torch.zeros_like(sigma),
        log_power=torch.log(power),
        noise=torch.full_like(sigma, ROUNDING),
    )
    return transform.inverse(transform(blurred) * found.gain)


def mean(values: Floats) -> float:
    """The mean of those that are finite; NaN if none is."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def by_sigma(columns: Columns, name: str, edges: Floats) -> tuple[list[float], list[float]]:
    """The middle of each bin of sigma, and the mean of a score in it."""
    sigma, values = np.array(columns["sigma"]), np.array(columns[name])
    bins = np.clip(np.digitize(sigma, edges) - 1, 0, len(edges) - 2)
    return list((edges[1:] + edges[:-1]) / 2), [mean(values[bins == one]) for one in range(len(edges) - 1)]


def draw(tested: Mapping[str, Columns]) -> Figure:
    """SSIM, PSNR, MSE and MAE against sigma."""
    drawn = [one for one in SCORES if not one.is_loss]
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    for axes, one in zip(figure.subplots(2, 2).flat, drawn, strict=True):
        for name, columns in tested.items():
            style = "0.45" if name == "blurred" else "k--" if name == _ORACLE else "-"
            version = "blurred" if name == "blurred" else "restored"
            axes.plot(*by_sigma(columns, f"{version}_{one.name}", np.linspace(0, 3, 25)), style, label=name)
        axes.set(xlabel="σ of the blur [pixels]", ylabel=one.axis_label)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if one.name == "psnr":
            axes.set_yscale("log")
            axes.set_yticks([20, 25, 30, 40, 60, 80, 120], labels=["20", "25", "30", "40", "60", "80", "120"])
            axes.minorticks_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def main(root: str, picture: str, *tables: str) -> None:
    data = CIFAR10(root=root, batch_size=250, sigma_range=(0.0, 3.0))
    filtered = oracle(data)
    tested: dict[str, Columns] = {"blurred": filtered, _ORACLE: filtered}
    for table in tables:
        name, file = table.rsplit("=", 1)
        tested[name] = read_per_image(Path(file))
    print("| | " + " | ".join(one.heading for one in SCORES) + " |\n" + "|---" * (len(SCORES) + 1) + "|")
    versions = {name: "blurred" if name == "blurred" else "restored" for name in tested}
    for name, columns in tested.items():
        means = (one.in_table(mean(np.array(columns[f"{versions[name]}_{one.name}"]))) for one in SCORES)
        print(f"| {name} | {' | '.join(means)} |")
    print("\n| PSNR / MSE [1e-3] by sigma | " + " | ".join(f"{low:g}–{low + 0.5:g}" for low in _EDGES[:-1]) + " |")
    print("|---" * len(_EDGES) + "|")
    for name, columns in tested.items():
        psnr, mse = (by_sigma(columns, f"{versions[name]}_{one}", _EDGES)[1] for one in ("psnr", "mse"))
        cells = (f"{one:.1f} / {other * 1e3:.2f}" for one, other in zip(psnr, mse, strict=True))
        print(f"| {name} | {' | '.join(cells)} |")
    draw(tested).savefig(picture, dpi=80)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
