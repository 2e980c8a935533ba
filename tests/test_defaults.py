"""A default stands in a class's signature or in a YAML file, never in both: then a change of either has its effect."""

import inspect
import pkgutil
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from omegaconf import OmegaConf

from deblurlab.app import build
from deblurlab.run.defaults import with_defaults
from deblurlab.run.names import CONF
from tests.composing import configuration

GROUPS = ("data", "model", "trainer", "logger", "callbacks", "experiment")
CHOICES = [f"{file.parent.name}={file.stem}" for group in GROUPS for file in sorted((CONF / group).glob("*.yaml"))]
HYDRA_KEYS = {"_target_", "_partial_"}


composed = partial(configuration, "train", "run=run")


def classes(value: Any, key: str = "") -> Iterator[tuple[str, dict[str, Any], dict[str, inspect.Parameter]]]:
    """The key of each class that a configuration names, what it is given, and what its signature takes."""
    if isinstance(value, dict):
        if "_target_" in value:
            yield key, value, dict(inspect.signature(pkgutil.resolve_name(value["_target_"])).parameters)
        for name, inner in value.items():
            yield from classes(inner, f"{key}.{name}".lstrip("."))


@pytest.mark.parametrize("choice", CHOICES)
def test_no_file_repeats_a_default_of_our_classes(choice: str) -> None:
    """Values of other libraries may be stated, even if they are the defaults of today: a result depends on them."""
    repeated = [
        f"{key}.{name}={value}"
        for key, given, taken in classes(OmegaConf.to_container(composed(choice)))
        if given["_target_"].startswith("deblurlab.")
        for name, value in given.items()
        if name in taken and with_defaults(taken[name].default) == value
    ]
    assert repeated == []


@pytest.mark.parametrize("choice", CHOICES)
def test_every_class_takes_what_it_is_given_and_gets_what_it_needs(choice: str) -> None:
    cfg = composed(choice)
    build.check_groups(cfg)
    for key, given, taken in classes(OmegaConf.to_container(cfg)):
        needed = {name for name, one in taken.items() if one.default is one.empty and one.kind is one.KEYWORD_ONLY}
        assert needed <= given.keys(), key
