"""What Hydra may call, which it asks from 1.4 on."""

from typing import Any

import pytest
from omegaconf import OmegaConf

from deblurlab.app import instantiated as module
from deblurlab.app.instantiated import instantiated

CONFIG = {
    "_target_": "my_package.Net",
    "loss": {"_target_": "torch.nn.L1Loss"},
    "parts": [{"_target_": "${name}"}],
}


def test_packages_of_deblurlab_s_own_and_what_the_configuration_names(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def instantiate(config: Any, *args: Any, _execution_whitelist_: Any = None, **kwargs: Any) -> None:
        seen.update(allowed=_execution_whitelist_, more=kwargs)

    monkeypatch.setattr(module, "instantiate", instantiate)
    instantiated(OmegaConf.create({"name": "other.part.Thing", "model": CONFIG}).model, width=3)
    packages = ("deblurlab", "torch", "torchvision", "lightning", "torchmetrics", "kornia")
    assert seen["allowed"] == [
        *(f"{package}.*" for package in packages),
        *("my_package.Net", "torch.nn.L1Loss", "other.part.Thing"),
    ]
    assert seen["more"] == {"_convert_": "all", "width": 3}


def test_the_installed_hydra_takes_it() -> None:
    built = instantiated({"_target_": "torch.nn.Sequential", "_args_": [{"_target_": "torch.nn.ReLU"}]})
    assert [type(layer).__name__ for layer in built] == ["ReLU"]
