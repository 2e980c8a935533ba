"""Damaged settings of a run: each is named in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from deblurlab.run import saved_run, weights
from deblurlab.run.saved_yaml import read_yaml
from tests.conftest import Call
from tests.strangers.conftest import arguments

LAUGHS = "a: &a [x, x]\n" + "\n".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)
DAMAGED: dict[str, tuple[bytes, str]] = {
    "a tag that builds": (b"model: !!python/object/apply:os.system [touch executed]", "it has a tag"),
    "a tag": (b"model: !mine {}\n", "it has a tag"),
    "a path's tag": (b"model: !!python/object/apply:pathlib.Path [x]\n", "it has a tag"),
    "nothing": (b"", "model is missing"),
    "a list": (b"- 1\n- 2\n", "it holds no configuration"),
    "text": (b"hello", "is damaged"),
    "binary": (np.random.default_rng(0).bytes(2000), "is damaged"),
    "zeros": (bytes(2000), "is damaged"),
    "not UTF-8": ("model: é".encode("latin-1"), "is damaged"),
    "missing keys": (b"model: {}\ndata: {}\n", "trainer is missing"),
    "other kinds": (b"model: 3\ndata: {}\ntrainer: {}\n", "model is missing"),
    "laughs": (LAUGHS.encode(), "it has an alias"),
    "depth": (b"model: " + b"[" * 50_000, "is damaged"),
    "closed depth": (b"model: " + b"[" * 500 + b"]" * 500, "it is too deep"),
    "length": (b"model: [" + b"1," * 60_000 + b"]", "too long"),
    "size": (b"model: " + b"x" * 300_000, "it is larger than"),
    "a twin": (b"model: {}\nmodel: {}\n", "duplicate key"),
    "a key of a list": (b"? [1, 2]\n: 3\n", "is damaged"),
    "cut": (b"model: {a: [1, 2", "is damaged"),
    "interpolations that are none": (b"model: {a: '${'}\ndata: {}\ntrainer: {}\n", "is damaged"),
    "a huge number": (b"model: " + b"9" * 5000, "is damaged"),
    "two documents": (b"model: {}\n---\nmodel: {}\n", "is damaged"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_configuration_is_named(name: str, run: Path) -> None:
    content, message = DAMAGED[name]
    (run / ".hydra/config.yaml").write_bytes(content)
    for read in (saved_run.load_run, weights.load):
        with pytest.raises(ValueError, match=r"run/\.hydra/config\.yaml is damaged: ") as error:
            read(str(run))
        assert message in str(error.value)
        assert len(str(error.value).splitlines()) == 1
    assert not (run.parent / "executed").exists()


@pytest.mark.parametrize("name", ["a tag that builds", "nothing", "laughs"])
def test_every_command_names_it(name: str, run: Path, refused: Any, tiny_cifar10: Path) -> None:
    (run / ".hydra/config.yaml").write_bytes(DAMAGED[name][0])
    resumed = ("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")
    for command in (("evaluate", "run=run"), ("report", "runs=run"), ("export", "weights=run"), resumed):
        assert "run/.hydra/config.yaml is damaged" in refused(*command)


@pytest.mark.parametrize("name", [name for name in DAMAGED if "keys" not in name and "kinds" not in name])
def test_hydra_yaml_likewise(name: str, run: Path) -> None:
    (run / ".hydra/hydra.yaml").write_bytes(DAMAGED[name][0])
    with pytest.raises(ValueError, match=r"run/\.hydra/hydra\.yaml is damaged: "):
        saved_run.load_run(str(run))


@pytest.mark.parametrize("data", ["../../../victim", "/victim", "..", "a/../b", "${oc.env:HOME}", "", 3, None])
def test_a_run_s_data_is_no_way_out_of_its_folder(data: Any, run: Path) -> None:
    file = run / ".hydra/hydra.yaml"
    settings = OmegaConf.load(file)
    settings.hydra.runtime.choices.data = data
    OmegaConf.save(settings, file)
    with pytest.raises(ValueError, match=r"hydra\.yaml is damaged: hydra\.runtime\.choices\.data is not a name"):
        saved_run.load_run(str(run))


def test_a_missing_hydra_yaml(run: Path, refused: Any) -> None:
    (run / ".hydra/hydra.yaml").unlink()
    assert "run/.hydra/hydra.yaml" in refused("evaluate", "run=run")


@pytest.mark.parametrize("content", [b"", b"a: 1", b"- &a 1\n- *a\n", b"\xff\xfe"])
def test_damaged_overrides_do_not_hide_what_differs(
    content: bytes, run: Path, refused: Any, tiny_cifar10: Path
) -> None:
    (run / ".hydra/overrides.yaml").write_bytes(content)
    message = refused("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last", "seed=5")
    assert "run/.hydra/config.yaml has seed=0, not 5" in message or "overrides.yaml is damaged" in message


def test_a_run_s_own_files_are_read(trained: Path) -> None:
    for name in ("config", "hydra", "overrides"):
        file = trained / ".hydra" / f"{name}.yaml"
        assert read_yaml(file) == OmegaConf.load(file)
    assert saved_run.load_run(str(trained)).model == "unet16"


@pytest.mark.parametrize("name", ["metrics.json", "metrics.csv", "per_image.csv"])
@pytest.mark.parametrize("content", [b"", b"[]", b'{"restored": 3}', b"epoch,a\n1,x\n", b"a\n1,2,3\n", b"\xff\xfe\x00"])
def test_a_report_names_damaged_scores(name: str, content: bytes, run: Path, call: Call) -> None:
    """Or makes do with what there is."""
    (run / name).write_bytes(content)
    try:
        call("report", "runs=run")
    except SystemExit as error:
        assert f"run/{name} is damaged" in str(error)  # noqa: PT017
