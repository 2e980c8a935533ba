"""A file's name without a key, as ``convert`` takes it."""

import pytest

from deblurlab.app.first_word import with_key
from deblurlab.app.invocation import parse_overrides


@pytest.mark.parametrize("name", ["a.h5", "it's (1).h5", "a b.h5", "a\\'b.h5", "folder\\", "{a: b}.h5", "$x.h5"])
def test_hydra_reads_the_name_as_it_is(name: str) -> None:
    first, *others = with_key([name, "model=unet16"], "input")
    assert parse_overrides([first])[0].value() == name
    assert others == ["model=unet16"]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["input=a.h5", "model=unet16"]])
def test_options_and_overrides_stay_as_they_are(arguments: list[str]) -> None:
    assert with_key(arguments, "input") == arguments
