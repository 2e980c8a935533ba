"""The part of the report for one data set: its tables, its figures, and their captions."""

import logging
from collections.abc import Callable, Mapping, Sequence

from deblurlab.checks.command_line import mapping_assignment
from deblurlab.metrics.scores import COMPARED_SCORES
from deblurlab.reports import plots
from deblurlab.reports.cost_table import cost_table
from deblurlab.reports.groups import Group
from deblurlab.reports.measure import Measured, measure_networks
from deblurlab.reports.page import Illustration, Part
from deblurlab.reports.score_table import finding, further_table, score_table
from deblurlab.reports.study import study_scores
from deblurlab.run import figures
from deblurlab.run.cost import Size
from deblurlab.run.trusted import UntrustedError

log = logging.getLogger(__name__)

_COMPARED = " and ".join(score.title for score in COMPARED_SCORES)


def make_part(
    title: str,
    groups: Sequence[Group],
    *,
    root: str | None,
    roots: Mapping[str, str],
    images: int,
    dollars_per_hour: float | None,
    trust: Sequence[str],
) -> Part:
    """Make the report's part of one data set.

    Args:
        title: The title of the part, by which the study's scores are found.
        groups: Our runs on this data.
        root: The present folder of the data; None if it is the same as in training.
        roots: Present folders by the name of the data set; they take precedence over ``root``.
        images: The number of test images that every network restores.
        dollars_per_hour: The price of an hour of training; None leaves out the prices.
        trust: Names of packages that the runs' configurations may name.
    """
    measured, problem = _measure(title, groups, root=root, roots=roots, images=images, trust=trust)
    sizes = measured.sizes if measured else {}
    drawn = [_epochs(groups), _same_images(groups, measured, problem), _gains(groups)]
    if title == "CIFAR-10" or any("sigma" in group.representative.per_image for group in groups):
        drawn.append(_by_blur(groups))
    if (estimated := _estimated_blur(groups)) is not None:
        drawn.append(estimated)
    if (by_cost := _by_cost(groups, sizes)) is not None:
        drawn.append(by_cost)
    return Part(
        title,
        finding(title, groups),
        score_table(title, groups),
        beside_study=bool(study_scores(title)),
        further=further_table(groups),
        figures=drawn,
        costs=cost_table(groups, sizes, dollars_per_hour=dollars_per_hour),
    )


def _measure(
    title: str,
    groups: Sequence[Group],
    *,
    root: str | None,
    roots: Mapping[str, str],
    images: int,
    trust: Sequence[str],
) -> tuple[Measured | None, str]:
    """Measure the networks; None and the reason if nothing could be measured."""
    data = groups[0].representative.data
    root = roots.get(data, root)
    try:
        return measure_networks(groups, root=root, images=images, trust=trust), ""
    except UntrustedError as error:
        problem = f"Not drawn: {error}"
    except (ValueError, OSError) as error:
        here = mapping_assignment("roots", {data: "FOLDER"})
        problem = f"Not drawn: {error} ({here} names the present folder of the data.)"
    log.warning(f"{title}: {problem}")
    return None, problem


def _epochs(groups: Sequence[Group]) -> Illustration:
    return Illustration(
        "Over the epochs",
        f"Validation {_COMPARED} over epochs",
        "One line per network; where it was trained with several seeds, their mean, with their range as a band.",
        plots.curves(groups),
        _missing("finished epochs", groups, lambda group: any(run.history for run in group.runs)),
    )


def _same_images(groups: Sequence[Group], measured: Measured | None, problem: str) -> Illustration:
    drawing, caption = None, "The same test images, restored by each network with its best weights so far."
    if measured:
        pictures = measured.pictures
        draw = figures.frame_panel if pictures.frames else figures.panel
        drawing = draw(pictures.columns, captions=pictures.captions)
        problem = " ".join(measured.failures)
        if pictures.frames:
            caption += (
                " In each frame, the two regions are marked where the blurred frame differs most from the sharp one."
            )
    return Illustration(
        "The same images",
        "Blurred, restored by each network, sharp",
        caption,
        drawing,
        problem or _missing("a checkpoint", groups, lambda group: group.representative.checkpoint is not None),
        photographic=True,
    )


def _gains(groups: Sequence[Group]) -> Illustration:
    return Illustration(
        "Gain over the blurred image",
        f"Histograms of each test image's gain in {_COMPARED}",
        "To the right of the dashed line, the restored image is better than the blurred one.",
        plots.gains(groups),
        _without_per_image_scores(groups),
    )


def _by_blur(groups: Sequence[Group]) -> Illustration:
    return Illustration(
        "By strength of the blur",
        "Mean SSIM of the test images against sigma of their blur",
        "Each point is the mean over a bin of σ; the dashed line shows the blurred images.",
        plots.ssim_against_sigma(groups),
        _without_per_image_scores(groups),
    )


def _estimated_blur(groups: Sequence[Group]) -> Illustration | None:
    drawing = plots.estimated_against_true_sigma(groups)
    if drawing is None:
        return None
    return Illustration(
        "The estimated blur",
        "Sigma of each test image's blur as the network estimates it, against the true one",
        "One point per test image. On the dashed line, the estimate is exact.",
        drawing,
    )


def _by_cost(groups: Sequence[Group], sizes: Mapping[str, Size]) -> Illustration | None:
    drawing = plots.quality_and_cost(groups, sizes)
    if drawing is None:
        return None
    return Illustration(
        "Quality against cost",
        "Test SSIM against the operations for one image",
        "Networks at the upper left are better and cheaper. A diamond was tested on a part of the test set.",
        drawing,
    )


def _without_per_image_scores(groups: Sequence[Group]) -> str:
    what = "per-image scores (python -m deblurlab.evaluate run=FOLDER writes them)"
    return _missing(what, groups, lambda group: bool(group.representative.per_image))


def _missing(what: str, groups: Sequence[Group], has: Callable[[Group], bool]) -> str:
    """A sentence about the groups that a figure lacks, and why; empty if the figure shows all groups."""
    absent = [group.label for group in groups if not has(group)]
    return f"Missing for lack of {what}: {', '.join(absent)}." if absent else ""
