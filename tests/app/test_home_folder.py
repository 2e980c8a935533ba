"""``~/`` is the user's home in every path of every command."""

from pathlib import Path

import pytest

from deblurlab.app.home_folder import with_home
from deblurlab.app.invocation import parse_overrides


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("run=~/x", "run=HOME/x"),
        ('run="~/my x"', 'run="HOME/my x"'),
        ("runs=[~/a,~/b,'~/c']", "runs=[HOME/a,HOME/b,'HOME/c']"),
        ("roots={reds:~/reds,cifar10: ~/c}", "roots={reds:HOME/reds,cifar10: HOME/c}"),
        ("--config-dir=~/conf", "--config-dir=HOME/conf"),
        ("~model.network.tanh", "~model.network.tanh"),
        ("run=a~/b", "run=a~/b"),
        ("run=~mine", "run=~mine"),
    ],
)
def test_home(given: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    assert with_home([given]) == [expected.replace("HOME", "/home/me")]


def test_hydra_can_read_it() -> None:
    assert parse_overrides(with_home(["run=~/x"]))[0].value() == str(Path.home() / "x")
