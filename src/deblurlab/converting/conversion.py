"""Loads the weights of a Keras file into one of our networks, with a check of each layer."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from deblurlab.converting import keras_file
from deblurlab.converting.study_layers import UNNAMED, Place, Study, recognised

# Keras' names of a layer's weights, with PyTorch's.
_CONVOLUTION = {"kernel": "weight", "bias": "bias"}
_BATCH_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
_LAYER_NORM = {"gamma": "weight", "beta": "bias"}


def fill_from(file: Path, network: nn.Module, study: Study) -> None:
    """Load the weights of a Keras file into a network.

    Args:
        file: A file that Keras has written for the study's network.
        network: Our network.
        study: The study's network that corresponds to it.

    Raises:
        ValueError: If it is not a file of Keras, or of another network; the message names the file.
    """
    modules = {name.rpartition(".")[0] for name in network.state_dict()}
    if modules != {place.module for place in study.places.values()}:
        raise ValueError(f"the study's {study.overrides} has other layers than this network: leave its arguments out.")
    with keras_file.opened(file) as layers:
        found = _by_name(layers)
        _require_names(found, study, file)
        tensors: dict[str, Tensor] = {}
        for name, place in study.places.items():
            tensors |= _tensors(found[name], place, network, file)
    # Keras does not count batches, and PyTorch does not use the number if there is a momentum.
    counted = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    network.load_state_dict(tensors | counted)


def _by_name(layers: Iterable[keras_file.Layer]) -> dict[str, keras_file.Layer]:
    """The layers by name. Those that the study did not name are numbered from 0, as in a first model."""
    found, unnamed = {}, 0
    for layer in layers:
        name = layer.name
        if re.fullmatch(rf"{UNNAMED}(_\d+)?", name):
            name = f"{UNNAMED}_{unnamed}" if unnamed else UNNAMED
            unnamed += 1
        found[name] = layer
    return found


def _require_names(found: Mapping[str, keras_file.Layer], study: Study, file: Path) -> None:
    missing = [name for name in study.places if name not in found]
    others = [name for name in found if name not in study.places]
    if not missing and not others:
        return
    differences = [f"{verb} {_listed(names)}" for verb, names in (("lacks", missing), ("has", others)) if names]
    known = recognised(found)
    hint = f" It fits {known.overrides}." if known else ""
    raise ValueError(f"{file} is of another network than {study.overrides}: it {' and '.join(differences)}.{hint}")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"the layer{'s' * (len(names) > 1)} {', '.join(f'{name:.80}' for name in names[:3])}{more}"


def _tensors(layer: keras_file.Layer, place: Place, network: nn.Module, file: Path) -> dict[str, Tensor]:
    """The tensors of a layer, by their names in our network."""
    module = network.get_submodule(place.module)
    convolution = isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    parts = _CONVOLUTION if convolution else _LAYER_NORM if isinstance(module, nn.LayerNorm) else _BATCH_NORM
    if layer.weights.keys() != parts.keys():
        raise ValueError(
            f"{file} is of another network: the layer {layer.name} has {', '.join(layer.weights)[:200]} in place of "
            f"{', '.join(parts)}."
        )
    tensors = {}
    for part, own in parts.items():
        name, stored = f"{place.module}.{own}", layer.weights[part]
        axes = place.axes if part == "kernel" else (0,)
        expected = network.state_dict()[name].shape
        if len(stored.shape) != len(axes) or tuple(stored.shape[axis] for axis in axes) != tuple(expected):
            theirs = [0] * len(axes)
            for axis, size in zip(axes, expected, strict=True):
                theirs[axis] = size
            raise ValueError(
                f"{file} is of another network: {part} of the layer {layer.name} is {stored.shape} there, not "
                f"{tuple(theirs)}."
            )
        tensor = torch.from_numpy(keras_file.read(stored)).permute(axes)
        tensors[name] = tensor.roll(-place.last, dims=1) if place.last and part == "kernel" else tensor
    return tensors
