"""The names of a run's network and data in folders, tables and reports. Imports nothing heavy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.run.saved_yaml import read_yaml

# deblurlab's own configurations, by the names of whose files networks and data are called.
CONF = Path(__file__).parents[1] / "conf"
_HERE = "@_here_"


@dataclass(frozen=True, kw_only=True)
class Named:
    """Abstract: the settings of a run, with the names of its network and its data.

    Attributes:
        choices: The names of the configurations that were chosen for ``model``, such as ``unet16``, and ``data``.
        config: The whole configuration of the run.
    """

    choices: Mapping[str, str]
    config: DictConfig

    @property
    def model(self) -> str:
        """The name of the network: see :func:`network_name`."""
        return network_name(self.choices["model"], self.config)

    @property
    def data(self) -> str:
        """The name of the data set: see :func:`data_name`."""
        return data_name(self.choices["data"], self.config)


def network_name(choice: str, config: Mapping[str, Any]) -> str:
    """The name of a run's network.

    Args:
        choice: The name of the run's model configuration, such as ``unet16``.
        config: The run's configuration.

    Returns:
        The configuration's ``name`` if it has one. Otherwise ``choice``, unless the run has another network class than
        deblurlab's configuration of that name; then the name of the class, with ``WGAN`` appended for the generator of
        a WGAN.

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
    """The name of a run's data set: that of its configuration, or of its class if the run has replaced the class."""
    return _own_class(f"data/{choice}", config["data"], "_target_") or choice


def _own_class(file: str, section: Mapping[str, Any], key: str) -> str | None:
    """The name of the class at a key if it differs from that in a file of deblurlab; None if it is the same."""
    usual = _class_in(CONF / f"{file}.yaml", key)
    path = OmegaConf.select(OmegaConf.create(dict(section)), key)
    if usual is None or not isinstance(path, str) or path == usual:
        return None
    name = path.rpartition(".")[2]
    return name if name.isidentifier() else None


def _class_in(file: Path, key: str) -> str | None:
    """The class path at a key of a configuration file, or of the files that it is based on."""
    if not file.is_file():
        return None
    config = read_yaml(file)
    assert isinstance(config, DictConfig)
    if (path := OmegaConf.select(config, key)) is not None:
        return str(path)
    bases = [str(one).removesuffix(_HERE) for one in config.get("defaults", ()) if str(one).endswith(_HERE)]
    return next((path for base in bases if (path := _class_in(file.parent / f"{base}.yaml", key))), None)
