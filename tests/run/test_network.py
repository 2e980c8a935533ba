"""A trained network is built as Hydra built it for training."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from deblurlab.nets import UNet16
from deblurlab.run import weights
from deblurlab.run.network import build_network, built

CONFIGS: list[dict[str, Any]] = [
    {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8], "residual": True},
    {"_target_": "torch.nn.Sequential", "_args_": [{"_target_": "torch.nn.ReLU"}, {"_target_": "torch.nn.ELU"}]},
    {
        "_target_": "torch.nn.TransformerEncoder",
        "_convert_": "all",
        "encoder_layer": {"_target_": "torch.nn.TransformerEncoderLayer", "d_model": 8, "nhead": 2},
        "num_layers": 2,
        "norm": {"_target_": "torch.nn.LayerNorm", "normalized_shape": [8]},
        "enable_nested_tensor": False,
    },
]


@pytest.mark.parametrize("config", CONFIGS)
def test_hydra_builds_the_same(config: dict[str, Any]) -> None:
    torch.manual_seed(0)
    ours: nn.Module = built(config)
    torch.manual_seed(0)
    theirs = instantiate(OmegaConf.create(config), _convert_="all")
    assert repr(ours) == repr(theirs)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)


def test_a_partial_makes_an_object_each_time() -> None:
    config = {"_target_": "torch.nn.BatchNorm2d", "_partial_": True, "eps": 0.01}
    ours, theirs = built(config), instantiate(config, _convert_="all")
    assert isinstance(ours, partial)
    assert repr(ours(4)) == repr(theirs(4))


def test_plain_values_stay_what_they_are() -> None:
    plain = {"a": [1, {"b": None}], "c": "torch.nn.ReLU", "_args_": [2.0]}
    assert built(plain) == plain


def test_arguments_that_the_class_does_not_take_are_named_with_their_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    weights.save(UNet16(widths=[4, 8]), {"_target_": "deblurlab.nets.UNet16", "width": [4, 8]}, file)
    with pytest.raises(ValueError, match=r"mine\.safetensors: its network cannot be built: .*'width'"):
        build_network(weights.load(str(file)))
