"""Logs the results of a check of frames or of shards."""

import logging

from deblurlab.checks.words import counted
from deblurlab.data.preparing.check_frames import Report
from deblurlab.data.sources.layouts import PublishedLayout

log = logging.getLogger(__name__)


def tell(report: Report, *, root: str, layout: PublishedLayout, checked: str, remedy: str) -> None:
    """Logs the summary, and the frames that are missing.

    Args:
        report: The results of the check.
        root: The folder that was checked.
        layout: The layout of the data set, with its download page.
        checked: The statement that is true if there are no problems.
        remedy: What to do if there are problems.

    Raises:
        ValueError: If there are problems. The message lists them all.
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
