"""Tells the user what a check of frames or of shards has found."""

import logging

from deblurlab.checks.words import counted
from deblurlab.data.preparing.check_frames import Report
from deblurlab.data.sources.layouts import PublishedLayout

log = logging.getLogger(__name__)


def tell(report: Report, *, root: str, layout: PublishedLayout, checked: str, remedy: str) -> None:
    """Logs what there is and what is missing.

    Args:
        report: What the check found.
        root: The folder that was checked.
        layout: How the data set lies there, and where it is offered.
        checked: What holds if there are no problems.
        remedy: What to do if there are.

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
        raise ValueError(f"{root}: {counted(len(report.problems), 'problem')}.\n{problems}\n{remedy}")
    log.info(f"{'No other problems' if report.missing else 'No problems'}: {checked}.")
