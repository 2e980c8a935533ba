"""The file format of weights: a safetensors file with the configuration of its network. Nothing in it is executed.

Files that others have published are read, too.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from deblurlab.checks.words import first_of
from deblurlab.files.whole_file import whole_file
from deblurlab.nets.recognised import EXPECTED, configuration_of
from deblurlab.run.checksum import checksum
from deblurlab.run.pth_file import read_pth
from deblurlab.run.sketch import sketch

# Files with other suffixes are checkpoints.
SUFFIXES = (".safetensors", ".pth", ".pt")

_FORMAT = "deblurlab 1"
_OURS = re.compile(r"deblurlab\.nets\.[A-Za-z0-9]+")
_HEADER_BYTES = 2**19  # names and shapes of some five thousand tensors; our largest network has eight hundred


class Content(NamedTuple):
    """The content of a weights file.

    Attributes:
        network: The configuration of the network, ``_target_`` and its arguments.
        shapes: The shapes of its parameters and buffers, by name.
        read: Reads the parameters and buffers, by name. It raises ValueError if they do not match their checksum.
    """

    network: dict[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[], dict[str, Tensor]]


def write(state: Mapping[str, Tensor], network: Mapping[str, Any] | DictConfig, file: Path) -> None:
    """Write a weights file, completely or not at all.

    Args:
        state: Parameters and buffers of a network by name, on any device.
        network: The configuration of the network, ``_target_`` and its arguments.
        file: The file to write, ``NAME.safetensors``.
    """
    plain = OmegaConf.to_container(network, resolve=True) if isinstance(network, DictConfig) else dict(network)
    tensors = _unshared(state)
    text = json.dumps(plain)
    about = {"format": _FORMAT, "network": text, "sha256": checksum(text, tensors)}
    with whole_file(file) as partial:
        # not safetensors' save_file, whose files can be read by their owner only
        partial.write_bytes(serialise(tensors, about))


def _unshared(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, each in memory of its own.

    Layers of a network may share their weights, which have several names then. safetensors does not write such tensors.
    """
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in state.items():
        own = tensor.detach().cpu().contiguous()
        place = own.untyped_storage().data_ptr()
        tensors[name] = own.clone() if place in seen else own
        seen.add(place)
    return tensors


def read(file: Path) -> Content:
    """Read the configuration and the shapes in a weights file, and prepare to read the tensors.

    A safetensors or ``.pth`` file that others have written is accepted if its network is recognised by the names of its
    tensors: see :func:`deblurlab.nets.recognised.configuration_of`.

    Raises:
        ValueError: If it is damaged, or not of a network of ``deblurlab.nets``; the message names the file.
    """
    if file.suffix != ".safetensors":
        shapes, tensors = read_pth(file)
        return Content(_recognised(shapes, file), shapes, tensors)
    return _read_safetensors(file)


def _read_safetensors(file: Path) -> Content:
    def tensors() -> dict[str, Tensor]:
        with safe_open(file, "pt") as stream:
            state = {name: stream.get_tensor(name) for name in shapes}
        # files of earlier versions and of other programs have no checksum
        if "sha256" in about and about["sha256"] != checksum(about.get("network", ""), state):
            raise ValueError(f"{file} is damaged: its content is not what was written. Get the file again.")
        return state

    try:
        with file.open("rb") as stream:
            header = int.from_bytes(stream.read(8), "little")
        if header > _HEADER_BYTES and header <= file.stat().st_size:
            raise ValueError(f"{file} is not a weights file of deblurlab: its header alone has {header:,} bytes.")
        with safe_open(file, "pt") as stream:
            about = stream.metadata() or {}
            shapes = {name: tuple(stream.get_slice(name).get_shape()) for name in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{file} is not a safetensors file, or is damaged: {error}") from error
    if about.get("format") != _FORMAT:
        return Content(_recognised(shapes, file), shapes, tensors)
    try:
        network = json.loads(about["network"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: it does not say which network it is of ({error}).") from error
    if not isinstance(network, dict) or not _harmless(network):
        raise ValueError(
            f"{file} is not of a network of deblurlab.nets with plain arguments, but of {shortened(network)}. "
            "Weights of a network of your own load from its run's folder: weights=FOLDER trust=[my_package]."
        )
    return Content(network, shapes, tensors)


def _recognised(shapes: Mapping[str, tuple[int, ...]], file: Path) -> dict[str, Any]:
    """The network of a file without a configuration; ValueError if its tensors are not those of a known network."""
    network = sketch(lambda: configuration_of(shapes), tensors=len(shapes))
    if network is None:
        names = first_of([name[:80] for name in shapes], 4)
        raise ValueError(
            f"{file} does not say which network it is of, and its {len(shapes)} tensors ({names}) are of none that "
            f"deblurlab knows by their names. Expected are {EXPECTED}."
        )
    return network


def shortened(network: Any) -> str:
    """A network's configuration, shortened for a message."""
    return json.dumps(network)[:200]


def _harmless(network: dict[str, Any]) -> bool:
    """Whether a configuration can do nothing but build one of our networks."""

    def plain(value: Any) -> bool:
        return value is None or (isinstance(value, str | int | float | bool) and "${" not in str(value))

    arguments = {name: value for name, value in network.items() if name != "_target_"}
    return (
        isinstance(network.get("_target_"), str)
        and _OURS.fullmatch(network["_target_"]) is not None
        and not any(name.startswith("_") for name in arguments)
        and all(all(map(plain, value)) if isinstance(value, list) else plain(value) for value in arguments.values())
    )
