"""``python -m deblurlab.report runs=...``: the study's tables, curves and panels, from runs finished or not.

Examples:
    python -m deblurlab.report runs=outputs/sweeps/2026-11-22_23-19-00
    python -m deblurlab.report 'runs=[outputs/cifar10_*/*,outputs/reds_unet16/first]' output=report
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, ListConfig

from deblurlab.app.command import command

if TYPE_CHECKING:
    from deblurlab.reports.collect import Group
    from deblurlab.reports.page import Part

log = logging.getLogger(__name__)


@command("report")
def main(cfg: DictConfig) -> None:
    """Collect the runs, restore the same images with each network, write report.html and report.md."""
    from deblurlab.reports import page, tables
    from deblurlab.reports.collect import find_runs, group_runs
    from deblurlab.reports.study import study_tables

    if not isinstance(cfg.images, int) or cfg.images < 1:
        raise ValueError(f"images must be a whole number of test images from 1, got {cfg.images}.")
    runs = find_runs([str(place) for place in (cfg.runs if isinstance(cfg.runs, ListConfig) else [cfg.runs])])
    groups = group_runs(runs)
    log.info(f"{len(runs)} runs: {', '.join(group.label for table in groups.values() for group in table)}")
    parts = [_part(title, groups.get(title, []), cfg) for title in dict.fromkeys((*study_tables(), *groups))]
    folder = Path(cfg.output)
    page.write(folder, parts=parts, runs=tables.run_table(runs), elsewhere=tables.elsewhere_table(runs))
    log.info(f"{folder}/report.html is one file; {folder}/report.md has its pictures in {folder}/figures")


def _part(title: str, groups: Sequence["Group"], cfg: DictConfig) -> "Part":
    from deblurlab.app import trusted
    from deblurlab.reports import measure, plots, tables
    from deblurlab.reports.page import Part, Picture
    from deblurlab.run import figures

    trust = trusted.packages(cfg.trust)
    scores = tables.score_table(title, groups)
    finding = tables.finding(title, groups)
    if not groups:
        return Part(title, finding, scores)
    measured, refused = None, ""
    data = groups[0].representative.data
    root = cfg.data.root.get(data) if isinstance(cfg.data.root, DictConfig) else cfg.data.root
    try:
        measured = measure.measure(groups, root=root, images=cfg.images, trust=trust)
    except trusted.UntrustedError as error:
        refused = f"Not drawn: {error}"
        log.warning(f"{title}: {refused}")
    except (ValueError, OSError) as error:
        refused = f"Not drawn: {error} (data.root={{{data}: FOLDER}} tells where the data lies now.)"
        log.warning(f"{title}: {refused}")
    panel, sizes = None, measured.sizes if measured else {}
    if measured:
        pictures = measured.pictures
        refused = " ".join(f"{label}: {reason}." for label, reason in measured.failures.items())
        draw = figures.frame_panel if pictures.frames else figures.panel
        panel = draw(pictures.columns, captions=pictures.captions)
    unscored = _missing("per-image scores (python -m deblurlab.evaluate run=FOLDER writes them)", groups, _scored)
    drawn = [
        Picture(
            "Over the epochs",
            "Validation SSIM and PSNR over epochs",
            "A line a network; of several seeds the mean, with their range as a band.",
            plots.curves(groups),
            _missing("finished epochs", groups, lambda group: any(run.history for run in group.runs)),
        ),
        Picture(
            "The same images",
            "Blurred, restored by each network, sharp",
            "Test images, the same for every network, by its best checkpoint so far. On frames, the two marked regions "
            "are where the blurred frame differs most from the sharp one.",
            panel,
            refused or _missing("a checkpoint", groups, lambda group: group.representative.checkpoint is not None),
            photographic=True,
        ),
        Picture(
            "Gain over the blurred image",
            "Histograms of each test image's gain in SSIM and PSNR",
            "Right of the dashed line, an image is better restored than blurred.",
            plots.gains(groups),
            unscored,
        ),
    ]
    if title == "CIFAR-10" or any("sigma" in group.representative.per_image for group in groups):
        drawn.append(
            Picture(
                "By strength of the blur",
                "Mean SSIM of the test images against sigma of their blur",
                "Means in bins of σ; dashed, the blurred images themselves.",
                plots.ssim_against_sigma(groups),
                unscored,
            )
        )
    if (chart := plots.quality_and_cost(groups, sizes)) is not None:
        drawn.append(
            Picture(
                "Quality against cost",
                "Test SSIM against the operations for one image",
                "Left and up is better. Diamonds: scored on a part of the test set.",
                chart,
            )
        )
    costs = tables.cost_table(groups, sizes, dollars_per_hour=cfg.dollars_per_hour)
    return Part(title, finding, scores, drawn, costs)


def _scored(group: "Group") -> bool:
    return bool(group.representative.per_image)


def _missing(what: str, groups: Sequence["Group"], has: Callable[["Group"], bool]) -> str:
    """Who is left out of a figure, and for want of what; empty if all are in."""
    absent = [group.label for group in groups if not has(group)]
    return f"Missing for want of {what}: {', '.join(absent)}." if absent else ""


if __name__ == "__main__":
    main()
