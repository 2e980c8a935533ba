"""A run's own networks and data wear their own names, and deblurlab's the names of their files."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from deblurlab.run.names import data_name, network_name

CONF = Path(__file__).parents[2] / "src/deblurlab/conf"


def config(network: str, **keys: object) -> dict[str, Any]:
    return {"model": {"network": {"_target_": network}}, **keys}


@pytest.mark.parametrize("file", sorted(path.stem for path in (CONF / "model").glob("*.yaml")))
def test_a_network_of_deblurlab_is_called_by_its_file(file: str) -> None:
    assert network_name(file, {"model": OmegaConf.load(CONF / f"model/{file}.yaml")}) == file


def test_other_networks_are_called_by_their_class() -> None:
    assert network_name("unet16", config("mynet.TinyNet")) == "TinyNet"
    assert network_name("unet16", config("deblurlab.nets.ResNet16")) == "ResNet16"
    assert network_name("rednet30_wgan", config("mynet.TinyNet")) == "TinyNetWGAN"


def test_a_file_of_ones_own_and_the_key_name_say_what_a_network_is_called() -> None:
    assert network_name("mine", config("mynet.TinyNet")) == "mine"
    assert network_name("unet16", config("mynet.TinyNet", name="wide one")) == "wide one"
    with pytest.raises(ValueError, match=r'name="\.\./x"'):
        network_name("unet16", config("mynet.TinyNet", name="../x"))


def test_data_is_called_by_its_file_unless_the_class_is_another() -> None:
    for file, target in (("cifar10", "CIFAR10"), ("reds", "VideoFrames"), ("folder", "Folder")):
        assert data_name(file, {"data": {"_target_": f"deblurlab.data.{target}"}}) == file
        assert data_name(file, {"data": {"_target_": "mydata.Mine"}}) == "Mine"
    assert data_name("cifar10", {"data": {"root": "x"}}) == "cifar10"
