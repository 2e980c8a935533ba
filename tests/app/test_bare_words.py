"""A word without a key is answered with the key that it is meant for, and ``--help`` says what values mean."""

import re
import sys
from pathlib import Path

import pytest
from hydra._internal.utils import get_args_parser

import deblurlab.restore
import deblurlab.train
from deblurlab.__main__ import commands
from deblurlab.app.bare_words import example, refuse_bare_words
from deblurlab.app.group_choices import check_choices
from deblurlab.app.help_text import help_text
from deblurlab.app.options import OPTIONS, VALUED, config_folders, refuse_options, with_options_first
from deblurlab.app.suggestions import did_you_mean, listed_keys
from deblurlab.app.user_errors import hint


def test_a_bare_word_is_answered_with_its_key() -> None:
    with pytest.raises(ValueError, match=r"restore photo\.jpg: say input=photo\.jpg\."):
        refuse_bare_words("restore", ["photo.jpg"])
    with pytest.raises(ValueError, match=r"say 'input=\"my photo\.jpg\"'\."):
        refuse_bare_words("restore", ["tta=true", "my photo.jpg"])


def test_an_option_of_a_group_is_answered_with_its_group() -> None:
    with pytest.raises(ValueError, match="train unet16: say model=unet16"):
        refuse_bare_words("train", ["unet16"])
    with pytest.raises(ValueError, match="train cifar10_unet16: say experiment=cifar10_unet16"):
        refuse_bare_words("train", ["cifar10_unet16"])


@pytest.mark.parametrize("words", [["model", "=", "unet16"], ["model=", "unet16"], ["seed=1", "model", "=unet16"]])
def test_spaces_around_the_sign_are_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match="no space goes before or after a ="):
        refuse_bare_words("train", words)


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (["model=unet16", "-m", "seed=1,2"], ["-m", "model=unet16", "seed=1,2"]),
        (["seed=1", "-cd", "a=b", "--cfg", "job", "~logger"], ["-cd", "a=b", "--cfg", "job", "seed=1", "~logger"]),
        (
            ["seed=1", "--config-d", "conf", "run=x", "--cfg=job"],
            ["--config-d", "conf", "--cfg=job", "seed=1", "run=x"],
        ),
        (["seed=1", "run=x"], ["seed=1", "run=x"]),
    ],
)
def test_options_may_stand_anywhere(given: list[str], ordered: list[str]) -> None:
    assert with_options_first(given) == ordered
    parsed = get_args_parser().parse_args(ordered)
    assert parsed.overrides == [word for word in ordered if word[0] != "-" and word not in ("a=b", "conf", "job")]


def test_a_bare_word_behind_an_option_without_a_value_is_answered_with_its_key() -> None:
    with pytest.raises(ValueError, match="train unet16: say model=unet16"):
        refuse_bare_words("train", ["-m", "unet16", "seed=1,2"])


def test_options_and_their_values_are_no_bare_words() -> None:
    refuse_bare_words("train", ["--config-dir", "my_conf", "-m", "--cfg=job", "~callbacks.panel", "+a=b", "seed=1"])


def test_an_option_of_a_group_in_an_added_folder_is_answered_with_its_group(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/mine.yaml").touch()
    with pytest.raises(ValueError, match="train mine: say model=mine"):
        refuse_bare_words("train", ["--config-dir", str(tmp_path), "mine"])


@pytest.mark.parametrize(
    "added", [["--config-dir", "a=b"], ["--config-dir=a=b"], ["--config-d", "a=b"], ["-cd", "a=b"]]
)
def test_an_added_folder_is_found_as_hydra_finds_it(added: list[str]) -> None:
    words = ["model=unet16", *added, "-m", "--cfg", "job"]
    conf, *others = config_folders(words)
    assert (conf / "train.yaml").is_file()
    assert others == [Path(get_args_parser().parse_args(with_options_first(words)).config_dir)]


@pytest.mark.parametrize("added", [["--config-dir", "FOLDER"], ["--config-dir=FOLDER"], ["-cd", "FOLDER"], []])
def test_a_choice_that_is_no_name_is_answered_with_all_names(added: list[str], tmp_path: Path) -> None:
    for file in ("callbacks/mine.yaml", "callbacks/none.yaml", "own/first.yaml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    words = [word.replace("FOLDER", str(tmp_path)) for word in added]
    names = "default, ema, mine, none" if added else "default, ema, none"
    with pytest.raises(ValueError, match=rf"^callbacks=null: choose one of {names}\.$"):
        check_choices([*words, "seed=1", "callbacks=null"])
    check_choices([*words, "callbacks=mine", "~logger", "+own=first"])
    if added:
        with pytest.raises(ValueError, match=r"^\+own=\[1\]: choose one of first\.$"):
            check_choices([*words, "+own=[1]"])


@pytest.mark.parametrize("removed", ["~trainer", "~trainer=auto"])
def test_a_needed_group_is_not_removed(removed: str) -> None:
    told = f"{removed}: trainer cannot be removed. Choose trainer=..., one of auto, cpu, gpu, tpu, xla_cpu."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        check_choices(["seed=1", removed])


def test_options_that_hydra_does_not_have_are_answered_with_the_key() -> None:
    with pytest.raises(ValueError, match=r"train --epochs: settings are KEY=VALUE.* Did you mean trainer\.max_epochs"):
        refuse_options("train", ["seed=1", "--epochs", "5"])
    with pytest.raises(ValueError, match=r"Did you mean data\.batch_size"):
        refuse_options("train", ["--batch-size=5"])
    refuse_options("train", ["--config-dir", "my_conf", "-m", "--cfg=job", "--multi", "a=-1"])


def test_the_options_are_those_of_hydra() -> None:
    actions = get_args_parser()._option_string_actions
    assert set(actions) == OPTIONS
    assert {option for option, action in actions.items() if action.nargs != 0} == VALUED


@pytest.mark.parametrize(
    ("key", "meant"),
    [("lr", "model.optimizer.lr"), ("batch_size", "data.batch_size"), ("precision", "trainer.precision")],
)
def test_the_end_of_a_key_is_answered_with_the_key(key: str, meant: str) -> None:
    assert meant in did_you_mean(key, listed_keys())


def test_what_is_missing_is_told_with_an_example() -> None:
    assert example("restore", "input") == "input=photo.jpg"
    assert example("restore", "other") == "other=..."


@pytest.mark.parametrize("command", commands())
def test_help_has_the_keys_with_their_comments_and_no_inner_sections(command: str) -> None:
    text = help_text(command, "What it does.")
    assert text.startswith("What it does.")
    assert "defaults:" not in text
    assert "  hydra:" not in text
    assert " # " in text


def test_help_has_examples_and_groups() -> None:
    assert "deblurlab restore input=photo.jpg" in help_text("restore", deblurlab.restore.__doc__ or "")
    assert "blend: null           # pixels over which" in help_text("restore", "")
    assert "    trainer: auto, cpu, gpu, tpu, xla_cpu (unless you choose: auto)" in help_text("train", "")
    assert "unet16 (you must choose)" in help_text("convert", "")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder of configurations, which holds other files too."""
    contents = {
        "data/streets.yaml": b"defaults: [base/video_frames@_here_]\nroot: x\nlandmarks: 3\n",
        "experiment/mine.yaml": b"# @package _global_\nmodel: {network: {tentacles: 8}}\n",
        "data/damaged.yaml": b"a: [",
        "data/latin.yaml": b"a: \xe9",
        "a/b/c/d/deep.yaml": b"tentacle: 1",
    }
    for name, content in contents.items():
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).write_bytes(content)
    return tmp_path / "own"


@pytest.mark.parametrize("added", [["--config-dir", "OWN"], ["hydra.searchpath=[file://OWN]"]])
def test_keys_and_choices_of_a_folder_of_the_user_s_are_known(
    added: list[str], own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.replace("OWN", str(own)) for word in added]
    monkeypatch.setattr(sys, "argv", ["train", *words])
    assert "Did you mean data.landmarks?" in hint("data.landmark")
    assert "Did you mean model.network.tentacles?" in hint("model.network.tentacle")
    with pytest.raises(ValueError, match=r"Did you mean data\.landmarks\?"):
        refuse_options("train", ["--landmarks", "5", *words])
    monkeypatch.setattr(sys, "argv", ["train", *words, "--help"])
    deblurlab.train.main()
    assert re.search(
        r"^    data: bsd_1ms8ms,.*, streets.* \(unless you choose: sample\)$", capsys.readouterr().out, re.MULTILINE
    )
    monkeypatch.setattr(sys, "argv", ["train"])
    assert "landmark" not in hint("data.landmark")
