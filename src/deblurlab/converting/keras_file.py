"""Reads HDF5 files of Keras before version 3: layers by name, each with its weights. Only names and numbers are read.

``model.save_weights("x.h5")`` writes a group for each layer. ``model.save("x.h5")`` writes the same inside the group
``model_weights``, together with a description of the model that may contain code, which is not read. The attribute
``layer_names`` lists the layers, and the attribute ``weight_names`` of a layer the paths of its weights::

    layer_names: [..., "encode_conv0", ...]
    encode_conv0/
        weight_names: ["encode_conv0/kernel:0", "encode_conv0/bias:0"]
        encode_conv0/kernel:0    (3, 3, 3, 64) float32

HDF5 has features that Keras does not use: numbers in other files, compressed numbers, or computed ones. Files with
these are refused.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]

_NAMES = 1024  # in one attribute; MSDeblur has four hundred layers
_NAME_BYTES = 256


class _UnlikeKerasError(ValueError):
    """The file has something that Keras does not write."""


class Layer(NamedTuple):
    """A layer that has weights.

    Attributes:
        name: The name of the layer, such as ``encode_conv0``.
        weights: The weights by name, such as ``kernel``, not yet read.
    """

    name: str
    weights: Mapping[str, h5py.Dataset]


@contextmanager
def opened(file: Path) -> Iterator[list[Layer]]:
    """Open a file, and close it at the end of the block.

    Yields:
        The layers that have weights, in the order of the file.

    Raises:
        ValueError: If Keras does not write such files, or it is damaged; the message names the file.
    """
    if not file.is_file():
        raise ValueError(f"{file}: there is no such file.")
    if not h5py.is_hdf5(file):
        raise ValueError(f"{file} is not an HDF5 file, as Keras' .h5 files are.")
    try:
        with h5py.File(file, "r") as stream:
            yield list(_layers(stream))
    except _UnlikeKerasError as error:
        raise ValueError(f"{file} is not taken: {error}.") from error
    except (OSError, RuntimeError, KeyError, TypeError, UnicodeDecodeError) as error:  # what h5py raises for damage
        raise ValueError(f"{file} is damaged: {error!s:.200}.") from error


def read(dataset: h5py.Dataset) -> npt.NDArray[np.float32]:
    """The numbers of a weight. The caller must have checked its shape, which determines the memory.

    Raises:
        ValueError: If they are not stored as Keras stores them. :func:`opened` adds the name of the file.
    """
    storage = dataset.id.get_create_plist()
    plain = storage.get_layout() == h5py.h5d.CONTIGUOUS and storage.get_external_count() == 0
    if not plain or dataset.id.get_offset() is None:
        raise _UnlikeKerasError(
            f"the numbers of {dataset.name:.200} do not stand in the file in one piece, as Keras writes them"
        )
    if dataset.dtype != np.float32:
        raise _UnlikeKerasError(f"{dataset.name:.200} holds {dataset.dtype} numbers in place of float32")
    numbers: npt.NDArray[np.float32] = dataset[()]
    return numbers


def _layers(stream: h5py.File) -> Iterator[Layer]:
    top = stream if "layer_names" in stream.attrs else _child(stream, "model_weights")
    if top is None or "layer_names" not in top.attrs:
        if _child(stream, "layers") is not None:
            raise _UnlikeKerasError(
                "it is in the format of Keras 3 (.weights.h5), which does not tell the names of layers. Load it into "
                "its model in Keras, and save that as .h5: model.save('x.h5')"
            )
        raise _UnlikeKerasError("it has no attribute layer_names, which Keras' weights have")
    for name in _names(top, "layer_names"):
        layer = _child(top, name)
        if not isinstance(layer, h5py.Group):
            raise _UnlikeKerasError(f"the layer {name:.80} that it lists is not there")
        weights = {_last(path): _weight(layer, path) for path in _names(layer, "weight_names")}
        if weights:
            yield Layer(name, weights)


def _weight(layer: h5py.Group, path: str) -> h5py.Dataset:
    here: Any = layer
    for name in path.split("/"):
        here = _child(here, name) if isinstance(here, h5py.Group) else None
    if not isinstance(here, h5py.Dataset):
        raise _UnlikeKerasError(f"the weight {path:.200} that it lists is not there")
    return here


def _last(path: str) -> str:
    """``kernel`` of ``encode_conv0/kernel:0``."""
    return path.rpartition("/")[2].partition(":")[0]


def _child(group: h5py.Group, name: str) -> Any:
    """The member of a group with this name; None if there is none."""
    links, key = group.id.links, name.encode()
    if not links.exists(key):
        return None
    if links.get_info(key).type != h5py.h5l.TYPE_HARD:
        raise _UnlikeKerasError(f"{name:.80} is a link to somewhere else")
    return group[name]


def _names(group: h5py.Group, attribute: str) -> list[str]:
    if attribute not in group.attrs:
        raise _UnlikeKerasError(f"{group.name:.80} has no attribute {attribute}, which Keras' layers have")
    stored = group.attrs.get_id(attribute)
    if stored.shape == (0,):  # a layer without weights
        return []
    # TensorFlow of the study's time wrote names as bytes of a fixed length; later versions write variable lengths.
    text = h5py.check_string_dtype(stored.dtype)
    if text is None or len(stored.shape) != 1 or stored.shape[0] > _NAMES or (text.length or 0) > _NAME_BYTES:
        raise _UnlikeKerasError(f"{attribute} of {group.name:.80} is not a list of at most {_NAMES} names")
    return [name.decode() if isinstance(name, bytes) else str(name) for name in group.attrs[attribute]]
