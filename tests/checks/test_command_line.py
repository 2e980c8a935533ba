"""Commands in messages can be copied: a shell and Hydra read back the value that was meant."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from hydra.conf import HydraConf, RunDir, RuntimeConf
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from deblurlab.app.bare_words import refuse_bare_words
from deblurlab.app.last_words import last_words_of
from deblurlab.checks.command_line import assignment, mapping_assignment, quoted, quoted_assignment
from deblurlab.run import weights
from deblurlab.run.changed_settings import tell_changes
from deblurlab.run.run_folder import RunFolder
from tests.conftest import HANG_SECONDS

PLAIN = ["outputs/cifar10_unet16/2026-11-22_23-19-00", "/data/REDS.v2", "gs://bucket/reds", "a+b@c%d", "2026-11-22"]
MISREAD = [
    *("my run", "a,b", "a=b", "$x", "${x}", "\\${x}", "it's", 'the "best"', "a (1)", "[1]", "{a: b}", "a&b", "a;b"),
    *("a*", "a?", "~a", "é", "#1", "x\\y", "e\\", "q'\\'z", 'q"\\"z', "`x`", "!x", "a\nb", " a ", ""),
    *("null", "True", "2026", "1e3", "1_000", "nan", "-inf"),
]


def read_by_shell(text: str) -> str:
    """The one word that a shell makes of a text."""
    shell = shutil.which("sh")
    assert shell is not None
    words = ["set -f", f"set -- {text}", 'printf "%s." "$@"']
    done = subprocess.run([shell, "-c", "\n".join(words)], capture_output=True, timeout=HANG_SECONDS, check=True)
    return done.stdout.decode().removesuffix(".")


def read_by_hydra(override: str) -> object:
    """The value that a command gets."""
    config = OmegaConf.create({"x": 0, "key": OverridesParser.create().parse_override(override).value()})
    content = OmegaConf.to_container(config, resolve=True)
    assert isinstance(content, dict)
    return content["key"]


@pytest.mark.parametrize("value", PLAIN)
def test_a_plain_value_has_no_quotes(value: str) -> None:
    assert assignment("run", value) == read_by_shell(f"run={value}") == f"run={value}"
    assert read_by_hydra(f"run={value}") == value


@pytest.mark.parametrize("value", [*PLAIN, *MISREAD])
def test_a_shell_and_hydra_read_back_the_value(value: str) -> None:
    assert read_by_hydra(read_by_shell(assignment("run", value))) == value
    assert read_by_hydra(read_by_shell(quoted_assignment("run", value))) == value
    assert read_by_hydra(f"run={quoted(value)}") == value
    both = mapping_assignment("roots", {"reds": "REDS", "gopro": value})
    assert read_by_hydra(read_by_shell(both)) == {"reds": "REDS", "gopro": value}


@pytest.mark.parametrize(
    ("config", "trust"),
    [
        ("model: {_target_: torch.nn.ReLU}\nmetrics: [lpips]", ""),
        ("model: {network: {_target_: mine.Net}}\ncallbacks: {a: {_target_: other.A}}", "trust=[mine,other] "),
        ("metrics: [mine.score]", "trust=[mine] "),
    ],
)
def test_an_interrupted_training_says_how_to_continue(config: str, trust: str, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a, b")
    for file, content in ((folder.last_checkpoint, ""), (folder.config_file, config)):
        file.parent.mkdir(parents=True)
        file.write_text(content)
    settings = HydraConf(runtime=RuntimeConf(output_dir=str(tmp_path / "a, b")), run=RunDir("."))
    told = last_words_of("train", settings, signal.SIGTERM)
    run = assignment("run", tmp_path / "a, b")
    assert told.endswith(f": {run} ckpt_path=last {trust}continues from the last checkpoint.")


def test_a_changed_setting_says_how_to_start_from_the_weights() -> None:
    with pytest.raises(ValueError, match=r"these weights: 'weights=\"my run\"'\.$"):
        tell_changes({"seed": 1}, {"seed": 2}, source=Path("my run/.hydra/config.yaml"), weights=Path("my run"))


def test_weights_of_keras_say_how_to_convert_them(tmp_path: Path) -> None:
    file = tmp_path / "a b.h5"
    file.touch()
    with pytest.raises(ValueError, match=re.escape(f"`deblurlab convert {assignment('input', file)} model=...`")):
        weights.load(str(file))


def test_a_bare_word_with_an_apostrophe() -> None:
    name = "it's.jpg"
    with pytest.raises(ValueError, match="restore it") as ended:
        refuse_bare_words("restore", [name])
    assert f"say {assignment('input', name)}." in str(ended.value)
