"""What becomes of a file that exists, and of an error that nobody thought of."""

import logging
from pathlib import Path

import pytest

from deblurlab.restoring.jobs import Job
from deblurlab.restoring.outcomes import Existing, Outcomes


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    return [Job(tmp_path / "in" / name, tmp_path / name) for name in ("a.png", "b.png", "c.png")]


@pytest.mark.parametrize("existing", ["refuse", "skip"])
def test_what_another_run_writes_meanwhile_is_left_and_no_failure(
    existing: Existing, jobs: list[Job], caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = Outcomes(jobs, compare=False, existing=existing)
    jobs[1].target.write_bytes(b"the other run's")
    with caplog.at_level(logging.INFO):
        wanted = [outcomes.wants(job) for job in jobs]
        outcomes.tell()
    assert wanted == [True, False, True]
    assert f"{jobs[1].target} is another run's" in caplog.text


@pytest.mark.parametrize(("existing", "wanted"), [("refuse", False), ("skip", False), ("overwrite", True)])
def test_what_was_there_before(existing: Existing, wanted: bool, jobs: list[Job]) -> None:
    jobs[0].target.write_bytes(b"")
    assert Outcomes(jobs, compare=False, existing=existing).wants(jobs[0]) == wanted


def test_a_comparison_that_was_there_before_is_refused_too(jobs: list[Job]) -> None:
    jobs[0].comparison.write_bytes(b"")
    outcomes = Outcomes(jobs, compare=True, existing="refuse")
    assert not outcomes.wants(jobs[0])
    with pytest.raises(ValueError, match="1 of 3 was not restored, because of what is there already"):
        outcomes.tell()


@pytest.mark.parametrize("error", [KeyError("pixels"), MemoryError(), RuntimeError("out of\nmemory"), OSError("full")])
def test_no_error_of_one_file_ends_the_others_and_each_names_the_file(
    error: Exception, jobs: list[Job], caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = Outcomes(jobs, compare=False, existing="refuse")
    with outcomes.of(jobs[0]):
        raise error
    (line,) = caplog.text.splitlines()
    assert str(jobs[0].source) in line
    with pytest.raises(ValueError, match=r"^1 of 3 was not restored: see above\.$"):
        outcomes.tell()


def test_ctrl_c_ends_them_all(jobs: list[Job]) -> None:
    with pytest.raises(KeyboardInterrupt), Outcomes(jobs, compare=False, existing="refuse").of(jobs[0]):
        raise KeyboardInterrupt
