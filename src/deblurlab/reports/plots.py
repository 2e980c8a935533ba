"""The report's plots. A group has the same colour in all of them. A plot without any data is None."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from deblurlab.metrics.scores import COMPARED_SCORES
from deblurlab.reports.groups import Group
from deblurlab.reports.reported_run import ReportedRun
from deblurlab.run.cost import Size
from deblurlab.run.figures import without_formulas

Floats = npt.NDArray[np.float64]

# The room for text in a legend: letters per inch of a figure, and the width of a line's sample in letters.
_LETTERS_PER_INCH = 11
_LETTERS_OF_HANDLE = 7
_BLURRED_STYLE = {"color": "0.45", "linestyle": "--"}


def _empty_figure(columns: int) -> Figure:
    return Figure(figsize=(5 * columns, 3.5) if columns > 1 else (6.5, 3.7), layout="constrained")


def _finish(figure: Figure) -> Figure:
    """Draw grid lines in every axes, and one legend under all of them."""
    for axes in figure.axes:
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    room = round(figure.get_figwidth() * _LETTERS_PER_INCH)
    broken = [textwrap.fill(label, room - _LETTERS_OF_HANDLE) for label in labels]
    longest = max((len(line) for label in broken for line in label.splitlines()), default=0)
    columns = max(1, min(len(labels), room // (longest + _LETTERS_OF_HANDLE)))
    figure.legend(
        handles, list(map(without_formulas, broken)), loc="outside lower center", ncols=columns, frameon=False
    )
    return figure


def curves(groups: Sequence[Group]) -> Figure | None:
    """Validation scores over epochs: one line per group, the mean over its seeds, with their range as a band."""
    if not any(run.history for group in groups for run in group.runs):
        return None
    figure = _empty_figure(len(COMPARED_SCORES))
    for axes, score in zip(figure.subplots(1, len(COMPARED_SCORES)), COMPARED_SCORES, strict=True):
        for number, group in enumerate(groups):
            epochs, values = _over_epochs(group.runs, f"val/{score.name}")
            if len(epochs) == 0:
                continue
            marker = "o" if len(epochs) < 8 else ""
            axes.plot(epochs, np.nanmean(values, axis=0), f"C{number}", marker=marker, markersize=4, label=group.label)
            if len(values) > 1:
                low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
                axes.fill_between(epochs, low, high, color=f"C{number}", alpha=0.15, linewidth=0)
        axes.set(xlabel="epoch", ylabel=f"validation {score.axis_label}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return _finish(figure)


def _over_epochs(runs: Sequence[ReportedRun], name: str) -> tuple[Floats, Floats]:
    """Epochs, (E,), and a logged metric of each run, (runs, E), NaN if a run lacks it in an epoch.

    Epochs and runs without any value are left out. Values that are not finite count as missing.
    """
    values = [
        {row["epoch"]: row[name] for row in run.history if name in row and np.isfinite(row[name])} for run in runs
    ]
    epochs = sorted(set().union(*values))
    table = np.array([[one.get(epoch, np.nan) for epoch in epochs] for one in values if one])
    return np.array(epochs), table


def gains(groups: Sequence[Group]) -> Figure | None:
    """Histograms of each test image's gain over its blurred version, one per compared score."""
    if not any(group.representative.per_image for group in groups):
        return None
    figure = _empty_figure(len(COMPARED_SCORES))
    for axes, score in zip(figure.subplots(1, len(COMPARED_SCORES)), COMPARED_SCORES, strict=True):
        everything = {group.label: _gain(group.representative.per_image, score.name) for group in groups}
        axes.axvline(0, **_BLURRED_STYLE, linewidth=1)
        axes.set(xlabel=f"gain in {score.axis_label} over the blurred image", ylabel="% of the images")
        axes.xaxis.set_major_locator(MaxNLocator(6))  # labels such as -0.035 are long
        shown = np.concatenate(list(everything.values()))
        if not len(shown):  # no image's PSNR is finite
            continue
        # The outermost bins hold the few images beyond them, too; without a limit, one image could widen the axis.
        low, high = np.quantile(shown, (0.002, 0.998))
        images = max(len(gain) for gain in everything.values())
        edges = np.histogram_bin_edges(shown.clip(low, high), bins=min(60, max(5, images // 4)))
        for number, group in enumerate(groups):
            if len(gain := everything[group.label]):
                weights = np.full(len(gain), 100 / len(gain))
                inside = gain.clip(low, high)
                axes.hist(inside, bins=edges, weights=weights, histtype="step", color=f"C{number}", label=group.label)
    return _finish(figure)


def _gain(scores: Mapping[str, Sequence[float]], name: str) -> Floats:
    """Restored minus blurred score of each image, without images with an infinite score, as PSNR may be.

    The result is empty if the run was tested by a version without this score.
    """
    if f"restored_{name}" not in scores:
        return np.empty(0)
    restored, blurred = (np.array(scores[f"{version}_{name}"]) for version in ("restored", "blurred"))
    finite = np.isfinite(restored) & np.isfinite(blurred)
    gain: Floats = restored[finite] - blurred[finite]
    return gain


def ssim_against_sigma(groups: Sequence[Group]) -> Figure | None:
    """Mean SSIM of the test images in bins of sigma of their blur, restored by each network and blurred."""
    known = [(number, group) for number, group in enumerate(groups) if "sigma" in group.representative.per_image]
    if not known:
        return None
    figure = _empty_figure(1)
    axes = figure.subplots()
    for number, group in known:
        scores = group.representative.per_image
        _plot_bins(axes, scores["sigma"], scores["restored_ssim"], color=f"C{number}", label=group.label)
    longest = max((group.representative.per_image for _, group in known), key=lambda scores: len(scores["sigma"]))
    _plot_bins(axes, longest["sigma"], longest["blurred_ssim"], label="blurred", **_BLURRED_STYLE)
    axes.set(xlabel="σ of the blur [pixels]", ylabel="SSIM", ylim=(None, 1.0))
    return _finish(figure)


def estimated_against_true_sigma(groups: Sequence[Group]) -> Figure | None:
    """The sigma that networks estimate, one point per test image; None if no network estimates it."""
    known = [
        (number, group)
        for number, group in enumerate(groups)
        if {"sigma", "estimated_sigma"} <= group.representative.per_image.keys()
    ]
    if not known:
        return None
    figure = _empty_figure(1)
    axes = figure.subplots()
    for number, group in known:
        true, estimated = (np.array(group.representative.per_image[name]) for name in ("sigma", "estimated_sigma"))
        error = np.abs(estimated - true).mean()
        label = f"{group.label}, off by {error:.3f} on average"
        axes.plot(true, estimated, f"C{number}.", markersize=2, alpha=0.3, rasterized=True, label=label)
    axes.axline((0, 0), slope=1, color="0.45", linestyle="--", linewidth=1)
    axes.set(xlabel="σ of the blur [pixels]", ylabel="estimated σ [pixels]")
    return _finish(figure)


def _plot_bins(axes: Axes, sigma: Sequence[float], values: Sequence[float], **style: str) -> None:
    """Plot the mean of the values in each of 4 to 24 bins of sigma, at about 20 images per bin."""
    blur, score = np.array(sigma), np.array(values)
    edges = np.linspace(blur.min(), blur.max(), 1 + min(24, max(4, len(blur) // 20)))
    bins = np.clip(np.digitize(blur, edges) - 1, 0, len(edges) - 2)
    means = [(blur[bins == one].mean(), score[bins == one].mean()) for one in np.unique(bins)]
    axes.plot(*zip(*means, strict=True), **style)  # type: ignore[arg-type]


def quality_and_cost(groups: Sequence[Group], sizes: Mapping[str, Size]) -> Figure | None:
    """Test SSIM against the operations for one image; None for fewer than two networks."""
    tested = [(number, group) for number, group in enumerate(groups) if group.tested and group.label in sizes]
    if len(tested) < 2:
        return None
    figure = _empty_figure(1)
    axes = figure.subplots()
    for number, group in tested:
        value, deviation = group.scores("restored")["ssim"]
        flops = sizes[group.label].flops / 1e9
        marker = "o" if group.whole_test else "d"
        axes.errorbar(flops, value, yerr=deviation, fmt=marker, color=f"C{number}", capsize=3, label=group.label)
    costs = [sizes[group.label].flops / 1e9 for _, group in tested]
    limits = (min(costs) / 2, max(costs) * 2)  # at least two of the ticks lie in there
    axes.set(xlabel="GFLOP for one image", ylabel="test SSIM", xscale="log", xlim=limits)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if limits[1] < 100 * limits[0] else (1,)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    return _finish(figure)
