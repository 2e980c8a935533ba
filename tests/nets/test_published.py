"""Networks of other authors: the same as in the packages that have their code, and found by their weights."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spandrel
import torch
from torch import nn

from deblurlab import nets
from deblurlab.nets import published
from deblurlab.restoring import load_restorer
from deblurlab.run import trusted, weights

SMALL: dict[str, dict[str, Any]] = {
    "FFTformer": {"dim": 8, "num_blocks": [1, 1, 1], "num_refinement_blocks": 1},
    "Restormer": {"dim": 8, "num_blocks": [1, 1, 1, 1], "num_refinement_blocks": 1},
    "MPRNet": {"n_feat": 8, "scale_unetfeats": 4, "scale_orsnetfeats": 4, "num_cab": 1},
    "M3SNet": {"width": 8, "middle_blk_num": 1, "enc_blk_nums": [1, 1, 1, 1], "dec_blk_nums": [1, 1, 1, 1]},
}
PACKAGES = {name: "spandrel" if name == "FFTformer" else "spandrel_extra_arches" for name in SMALL}


def authors(name: str) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = getattr(import_module(f"{PACKAGES[name]}.architectures.{name}"), name)(**SMALL[name])
    for weight in network.parameters():  # where a residual begins with zeros, nothing of it would be compared
        nn.init.normal_(weight, std=0.1)
    return network.eval()


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, package in PACKAGES.items():
        monkeypatch.setitem(sys.modules, f"{package}.architectures.{name}", None)
    published.network_class.cache_clear()
    yield
    published.network_class.cache_clear()


def test_each_has_a_small_one_here() -> None:
    assert set(published.NAMES) == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_published_weights_restore_as_the_authors_network(name: str, tmp_path: Path) -> None:
    theirs, blurred = authors(name), torch.rand(1, 3, 32, 64)
    torch.save({"params": theirs.state_dict()}, tmp_path / "theirs.pth")
    restorer = load_restorer(tmp_path / "theirs.pth", device="cpu")
    assert type(restorer.network) is getattr(nets, name)
    with torch.no_grad():
        expected = theirs(blurred)
        expected = expected[0] if isinstance(expected, tuple) else expected
        torch.testing.assert_close(restorer(blurred), expected, rtol=0, atol=0)
    assert restorer.restore(np.zeros((21, 37, 3), np.uint8)).shape == (21, 37, 3)
    # a weights file of deblurlab says which network it is of
    weights.save(restorer.network, weights.load(str(tmp_path / "theirs.pth")).network, tmp_path / "ours.safetensors")
    with torch.no_grad():
        again = load_restorer(tmp_path / "ours.safetensors", device="cpu")(blurred)
        torch.testing.assert_close(again, expected, rtol=0, atol=0)


def test_our_weights_file_loads_in_spandrel(tmp_path: Path) -> None:
    network = authors("FFTformer")
    weights.save(network, {"_target_": "deblurlab.nets.FFTformer", **SMALL["FFTformer"]}, tmp_path / "ours.safetensors")
    loaded, blurred = spandrel.ModelLoader().load_from_file(tmp_path / "ours.safetensors"), torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(blurred), network(blurred))


@pytest.mark.parametrize("name", SMALL)
def test_a_size_that_does_not_fit_is_explained(name: str) -> None:
    network = getattr(nets, name)(**SMALL[name])
    with pytest.raises(ValueError, match=rf"{name} halves .* multiples of {network.size_multiple}, got 32x63"):
        network(torch.rand(1, 3, 32, 63))


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.usefixtures("without_packages")
def test_a_package_that_is_missing_is_named(name: str) -> None:
    message = rf"{name} needs the package {PACKAGES[name]}: pip install \S*{PACKAGES[name]}\S*$"
    with pytest.raises(ValueError, match=message):
        getattr(nets, name)
    # as it is when somebody else has trained the network
    with pytest.raises(ValueError, match=message):
        trusted.check({"model": {"network": {"_target_": f"deblurlab.nets.{name}"}}}, trust=(), source="config.yaml")


@pytest.mark.usefixtures("without_packages")
def test_weights_of_a_missing_package_say_what_would_be_known(tmp_path: Path) -> None:
    state = {"patch_embed.proj.weight": torch.rand(8, 3, 3, 3), "output.weight": torch.rand(3, 8, 3, 3)}
    torch.save(state, tmp_path / "theirs.pth")
    with pytest.raises(ValueError, match=r"Expected are NAFNet's.* FFTformer's, if spandrel is installed"):
        weights.load(str(tmp_path / "theirs.pth"))


@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_names_cannot_ask_for_more_than_there_is(change: str, tmp_path: Path) -> None:
    state = authors("FFTformer").state_dict()
    if change == "longer":
        state["encoder_level1.999999999.norm1.body.weight"] = torch.rand(2)
    else:
        del state["encoder_level1.0.ffn.project_out.weight"]
    torch.save(state, tmp_path / "theirs.pth")
    with pytest.raises(ValueError, match="does not say which network it is of"):
        weights.load(str(tmp_path / "theirs.pth"))


def test_other_names_are_none_of_the_networks() -> None:
    with pytest.raises(AttributeError, match=r"'deblurlab\.nets' has no attribute 'Formerest'"):
        nets.Formerest  # noqa: B018
