"""The results of a check of frames, shards or pictures, and the log of them."""

import logging
from dataclasses import dataclass, field

from deblurlab.checks.words import counted

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Report:
    """The results of a check.

    Attributes:
        checked: The statement that is true if there are no problems.
        remedy: What to do if there are problems; "" if they say so themselves.
        offer: Where what is missing can be had; "" if that is not known.
        summary: A line per split.
        problems: A line per problem.
        missing: Lines about what a whole data set has and this one has not, as far as this is known.
    """

    checked: str
    remedy: str
    offer: str = ""
    summary: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def tell(report: Report, *, root: str) -> None:
    """Log the summary, and what is missing.

    Args:
        report: The results of the check.
        root: The folder that was checked.

    Raises:
        ValueError: If there are problems. The message lists them all.
    """
    for line in report.summary:
        log.info(line)
    if report.missing:
        log.info("Missing:\n" + "\n".join(f"  {line}" for line in report.missing))
        if report.offer:
            log.info(report.offer)
    if report.problems:
        problems = "\n".join(f"  {problem}" for problem in report.problems)
        message = f"{root}: {counted(len(report.problems), 'problem')}.\n{problems}\n{report.remedy}"
        raise ValueError(message.rstrip())
    log.info(f"{'No other problems' if report.missing else 'No problems'}: {report.checked}.")
