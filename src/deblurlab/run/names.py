"""What a run calls its network and its data, in folders, tables and reports. Imports nothing heavy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.run.saved_yaml import read_yaml

_CONF = Path(__file__).parents[1] / "conf"
_HERE = "@_here_"


@dataclass(frozen=True, kw_only=True)
class Named:
    """Abstract: the settings of a run, and what its network and its data are called.

    Attributes:
        choices: The names of the configurations that it chose: ``model``, such as ``unet16``, and ``data``.
        config: Its whole configuration.
    """

    choices: Mapping[str, str]
    config: DictConfig

    @property
    def model(self) -> str:
        """What the network is called: see :func:`network_name`."""
        return network_name(self.choices["model"], self.config)

    @property
    def data(self) -> str:
        """What the data set is called: see :func:`data_name`."""
        return data_name(self.choices["data"], self.config)


def network_name(choice: str, config: Mapping[str, Any]) -> str:
    """What the network of a run is called.

    Args:
        choice: The name of its model's configuration, such as ``unet16``.
        config: The run's configuration.

    Returns:
        The configuration's ``name``, if it has one; ``choice``, where the network is of the class that this file of
        deblurlab names, or the file is a user's own; else the name of the network's class, with ``WGAN`` behind it
        where it is trained as the generator of a WGAN.

    Raises:
        ValueError: If ``name`` cannot be a part of a folder's name.
    """
    if (name := config.get("name")) is not None:
        if not re.fullmatch(r"(?!\.)[\w.+ -]+", str(name)):
            raise ValueError(
                f'name="{name}": it becomes a part of a folder\'s name: letters, digits and any of . + - _'
            )
        return str(name)
    own = _own_class(f"model/{choice}", config["model"], "network._target_")
    return choice if own is None else own + ("WGAN" if choice.endswith("_wgan") else "")


def data_name(choice: str, config: Mapping[str, Any]) -> str:
    """What the data set of a run is called: the name of its configuration, or of its class where that is another."""
    return _own_class(f"data/{choice}", config["data"], "_target_") or choice


def _own_class(file: str, section: Mapping[str, Any], key: str) -> str | None:
    """The name of the class at a key, if it is another than in a file of deblurlab's; None if it is that one."""
    usual = _class_in(_CONF / f"{file}.yaml", key)
    path = OmegaConf.select(OmegaConf.create(dict(section)), key)
    if usual is None or not isinstance(path, str) or path == usual:
        return None
    name = path.rpartition(".")[2]
    return name if name.isidentifier() else None


def _class_in(file: Path, key: str) -> str | None:
    """The class path at a key of a configuration or of those that it is based on."""
    if not file.is_file():
        return None
    config = read_yaml(file)
    assert isinstance(config, DictConfig)
    if (path := OmegaConf.select(config, key)) is not None:
        return str(path)
    bases = [str(one).removesuffix(_HERE) for one in config.get("defaults", ()) if str(one).endswith(_HERE)]
    return next((path for base in bases if (path := _class_in(file.parent / f"{base}.yaml", key))), None)
