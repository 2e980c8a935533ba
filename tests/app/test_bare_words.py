"""A word without a key is answered with the key that it is meant for, and ``--help`` says what values mean."""

import pytest

import deblurlab.restore
from deblurlab.__main__ import commands
from deblurlab.app.bare_words import example, refuse_bare_words
from deblurlab.app.help_text import help_text


def test_a_bare_word_is_answered_with_its_key() -> None:
    with pytest.raises(ValueError, match=r"restore photo\.jpg: say input=photo\.jpg\."):
        refuse_bare_words("restore", ["photo.jpg"])
    with pytest.raises(ValueError, match=r"say input='\"my photo\.jpg\"'"):
        refuse_bare_words("restore", ["tta=true", "my photo.jpg"])


def test_options_and_their_values_are_no_bare_words() -> None:
    refuse_bare_words("train", ["--config-dir", "my_conf", "-m", "--cfg=job", "~callbacks.panel", "+a=b", "seed=1"])


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
