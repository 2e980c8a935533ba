"""Compare runs in one page: tables of scores, curves, and the same images restored by each network.

Where the study has tested on the same data, its scores stand beside ours.

Examples:
    deblurlab report runs=outputs/sweeps/2026-11-22_23-19-00
    deblurlab report 'runs=[outputs/cifar10_*/*,outputs/reds_unet16/first]' output=report
"""

import logging
from pathlib import Path

from omegaconf import DictConfig, ListConfig

from deblurlab.app.command import command
from deblurlab.checks import require
from deblurlab.checks.command_line import mapping_assignment

log = logging.getLogger(__name__)


@command("report")
def main(cfg: DictConfig) -> None:
    """Collect the runs, restore the same images with each network, write report.html and report.md."""
    from deblurlab.reports import page
    from deblurlab.reports.cost_table import run_table
    from deblurlab.reports.elsewhere_table import elsewhere_table
    from deblurlab.reports.groups import group_runs
    from deblurlab.reports.parts import make_part
    from deblurlab.reports.reported_run import find_runs
    from deblurlab.reports.study import study_tables
    from deblurlab.run import trusted

    if isinstance(cfg.data.root, DictConfig):
        named = mapping_assignment("roots", {str(data): root for data, root in cfg.data.root.items()})
        raise ValueError(f"data.root is one folder; folders for several data sets are {named}.")
    if Path(cfg.output).suffix.lower() in (".html", ".htm", ".md", ".pdf"):
        raise ValueError(f"output={cfg.output}: name a folder. A browser prints its report.html to a PDF.")
    require.whole_number("images", cfg.images, at_least=1, of="test images")
    runs = find_runs([str(place) for place in (cfg.runs if isinstance(cfg.runs, ListConfig) else [cfg.runs])])
    groups = group_runs(runs)
    for title, table in groups.items():
        log.info(f"{title}: {', '.join(group.label for group in table)}")
    parts = [
        make_part(
            title,
            groups[title],
            root=cfg.data.root,
            roots=dict(cfg.roots or {}),
            images=cfg.images,
            dollars_per_hour=cfg.dollars_per_hour,
            trust=trusted.packages(cfg.trust),
        )
        for title in sorted(groups, key=lambda one: study_tables().index(one) if one in study_tables() else -1)
    ]
    folder = Path(cfg.output)
    page.write(folder, parts=parts, runs=run_table(runs), elsewhere=elsewhere_table(runs))
    log.info(f"{folder}/report.html is one file; {folder}/report.md has its pictures in {folder}/figures")


if __name__ == "__main__":
    main()
