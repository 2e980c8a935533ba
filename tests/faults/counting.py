"""What becomes of each case of a campaign of faults, and the table of counts."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import FrameType

from deblurlab.app import user_errors


class Outcome(StrEnum):
    """The five ends that a case can have; the last three are bugs."""

    RIGHT = "right"
    ERROR = "one clear error"
    TRACEBACK = "traceback"
    HANG = "hang"
    WRONG = "silently wrong"


_HANG_SECONDS = 300  # after which a case hangs; on a quiet machine, none takes more than a few
BUGS = (Outcome.TRACEBACK, Outcome.HANG, Outcome.WRONG)


class HangError(BaseException):
    """A case took too long. No handler of errors catches it."""


@dataclass
class Campaign:
    """Cases of one kind.

    Attributes:
        name: The kind.
        seed: The seed from which all cases are drawn.
        counts: How many cases ended in each way.
        bugs: One line per case that is a bug.
    """

    name: str
    seed: int
    counts: Counter[Outcome] = field(default_factory=Counter)
    bugs: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome, what: str) -> None:
        """Count a case; ``what`` tells how to make it again."""
        self.counts[outcome] += 1
        if outcome in BUGS:
            self.bugs.append(f"{self.name}, seed {self.seed}: {outcome}: {what}")

    def judge(self, case: Callable[[], bool], what: str, *, names: str = "", key: str = "") -> None:
        """Run a case in this process and count how it ends.

        Args:
            case: Returns whether its result is the right one.
            what: How to make it again.
            names: What a clear error says: the name of the damaged file.
            key: The key that was given an odd value. The first line of a command's longer message names it.
        """
        try:
            with _time_limit():
                self.add(Outcome.RIGHT if case() else Outcome.WRONG, what)
        except HangError:
            self.add(Outcome.HANG, what)
        except (Exception, SystemExit) as error:
            clear = _is_clear(error, names, key)
            told = f"{what}: {type(error).__name__}: {str(error)[:300]!r}"
            self.add(Outcome.ERROR if clear else Outcome.TRACEBACK, told)


def _is_clear(error: Exception | SystemExit, names: str, key: str) -> bool:
    """Whether a user would see one line that names the file. A command ends in SystemExit, with a second line.

    Where data is missing, the lines below the first show which folders are expected.
    """
    text = str(error)
    if isinstance(error, SystemExit):
        line, *more = text.splitlines()
        told = more[-1:] == ["(HYDRA_FULL_ERROR=1 shows where.)"] and (len(more) == 1 or bool(key and key in line))
        return line.startswith("error: ") and told and names in line
    lines = len(user_errors.message(error).splitlines())  # Hydra's own messages take two, and the hint is one
    return user_errors.is_mendable(error) and names in text and lines <= (2 if names else 3)


@contextmanager
def _time_limit() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise HangError

    if threading.current_thread() is not threading.main_thread():
        raise AssertionError("a campaign runs in the main thread")
    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, _HANG_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def table(campaigns: list[Campaign]) -> str:
    """The counts as Markdown, as they stand in docs/results.md."""
    lines = [f"| faults | seed | {' | '.join(Outcome)} |", "|---|---|" + "---|" * len(Outcome)]
    lines += [
        f"| {one.name} | {one.seed} | {' | '.join(str(one.counts[end]) for end in Outcome)} |" for one in campaigns
    ]
    total = sum((one.counts for one in campaigns), Counter[Outcome]())
    lines.append(f"| all {total.total()} | | {' | '.join(str(total[end]) for end in Outcome)} |")
    return "\n".join(lines)
