"""Tells the user what a check of frames has found."""

import logging

from deblurlab.data.preparing.check_frames import Report
from deblurlab.data.sources.layouts import Layout

log = logging.getLogger(__name__)


def tell(report: Report, *, root: str, layout: Layout) -> None:
    """Logs what there is and what is missing.

    Args:
        report: What the check found.
        root: The folder that was checked.
        layout: How the data set lies there, and where it is offered.

    Raises:
        ValueError: if there are problems. It names them all.
    """
    for line in report.summary:
        log.info(line)
    if report.missing:
        log.info("Missing:\n" + "\n".join(f"  {line}" for line in report.missing))
        log.info(f"{layout.title} is offered on {layout.page}")
    if report.problems:
        problems = "\n".join(f"  {problem}" for problem in report.problems)
        raise ValueError(f"{root}: {len(report.problems)} problems.\n{problems}\n{layout.help()}")
    log.info("No problems: every pair is readable, of one size and aligned.")
