"""Weights by themselves: one safetensors file that says which network it is of. Nothing in it is ever executed."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor, nn

from deblurlab.run.checkpoint import AtomicCheckpointIO
from deblurlab.run.defaults import with_defaults
from deblurlab.run.run_folder import load_run, weights_name

FOLDER = Path(__file__).parents[1] / "zoo"
NAME = "weights.safetensors"
_FORMAT = "deblurlab 1"
_OURS = re.compile(r"deblurlab\.nets\.[A-Za-z0-9]+")
_HEADER_BYTES = 2**19  # names and shapes of some five thousand tensors; our largest network has eight hundred


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A network's weights and what it takes to rebuild it.

    Attributes:
        title: what to call them: see :func:`~deblurlab.run.run_folder.weights_name`.
        network: the network's configuration, ``_target_`` and its arguments.
        config: what ``network`` is a part of, as it stands in ``source``.
        source: the file that says which network it is.
        shapes: of parameters and buffers, by name.
        read: gives parameters and buffers by name.
    """

    title: str
    network: dict[str, Any]
    config: Mapping[str, Any] | DictConfig
    source: Path
    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[], dict[str, Tensor]]

    @cached_property
    def state(self) -> dict[str, Tensor]:
        return self.read()


def shipped() -> list[str]:
    """The names of the weights that come with deblurlab."""
    return sorted(file.stem for file in FOLDER.glob("*.safetensors"))


def save(network: nn.Module, config: Mapping[str, Any] | DictConfig, file: Path) -> None:
    """Write a network's weights with its configuration, whole or not at all."""
    _write(network.state_dict(), config, file)


def extract(checkpoint: Path, config: Mapping[str, Any], file: Path) -> None:
    """Write a checkpoint's weights as a file of their own. Touches no device: one host of many may do it."""
    _write(_stored(checkpoint), config, file)


def _write(state: Mapping[str, Tensor], config: Mapping[str, Any] | DictConfig, file: Path) -> None:
    plain = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else dict(config)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    partial = file.with_name(f".{file.name}.partial")
    # not save_file, whose files only their owner may read
    partial.write_bytes(serialise(tensors, {"format": _FORMAT, "network": json.dumps(plain)}))
    partial.replace(file)


def _stored(checkpoint: Path) -> dict[str, Tensor]:
    """The state of a checkpoint's network."""
    state = AtomicCheckpointIO().load_checkpoint(checkpoint)["state_dict"]
    prefix = "network."
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def load(weights: str) -> Weights:
    """Read the weights that ``weights`` names: a run's folder, its checkpoint, a safetensors file or a shipped name.

    A weights file may name networks of ``deblurlab.nets`` only. What a run's folder names, whoever builds it checks.

    Raises:
        ValueError: if there are no such weights, or the file is damaged or not ours.
    """
    weights = str(weights)
    if weights in shipped():
        return _safetensors(FOLDER / f"{weights}.safetensors", weights)
    path = Path(weights)
    if path.is_dir():
        best = path / "checkpoints" / "best.ckpt"
        path = best if best.is_file() else path / NAME
    if not path.is_file():
        raise ValueError(
            f"weights={weights}: there is no such run, file or shipped name. Shipped: {', '.join(shipped())}."
        )
    title = weights_name(weights)
    return _safetensors(path, title) if path.suffix == ".safetensors" else _checkpoint(path, title)


def _safetensors(file: Path, title: str) -> Weights:
    try:
        with file.open("rb") as stream:
            header = int.from_bytes(stream.read(8), "little")
        if header > _HEADER_BYTES and header <= file.stat().st_size:
            raise ValueError(f"{file} is no weights file of deblurlab: its header alone has {header:,} bytes.")
        with safe_open(file, "pt") as stream:
            about = stream.metadata() or {}
            shapes = {name: tuple(stream.get_slice(name).get_shape()) for name in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{file} is no safetensors file, or is damaged: {error}") from error
    if about.get("format") != _FORMAT:
        raise ValueError(f"{file} does not say which network it is of: deblurlab did not write it.")
    try:
        network = json.loads(about["network"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: it does not say which network it is of ({error}).") from error
    if not isinstance(network, dict) or not _harmless(network):
        raise ValueError(
            f"{file} is not of a network of deblurlab.nets with plain arguments, but of {_said(network)}. "
            "Weights of a network of your own load from its run's folder."
        )

    def read() -> dict[str, Tensor]:
        with safe_open(file, "pt") as stream:
            return {name: stream.get_tensor(name) for name in shapes}

    return Weights(
        title=title, network=network, config={"model": {"network": network}}, source=file, shapes=shapes, read=read
    )


def _said(network: Any) -> str:
    """A network's configuration, as far as a message has room for it."""
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


def _checkpoint(file: Path, title: str) -> Weights:
    run = file.absolute().parents[1]
    if not (run / ".hydra" / "config.yaml").is_file():
        raise ValueError(
            f"weights={file}: a checkpoint says which network it is of by its run's folder, which {run} is not. "
            f"Leave it in RUN/checkpoints/, or take RUN/{NAME}."
        )
    config, source = load_run(str(run)).config, run / ".hydra" / "config.yaml"
    network = OmegaConf.to_container(config.model).get("network")  # type: ignore[union-attr]
    if not isinstance(network, dict) or "_target_" not in network:
        raise ValueError(f"{source} does not say which network the run has: model.network is missing.")
    state = _stored(file)
    return Weights(
        title=title,
        network={str(name): value for name, value in network.items()},
        config=config,
        source=source,
        shapes={name: tuple(value.shape) for name, value in state.items()},
        read=lambda: state,
    )


def fill(network: nn.Module, weights: Weights) -> None:
    """Put weights into a network.

    Raises:
        ValueError: if they are of another network.
    """
    require_fit(network, weights)
    with torch.no_grad():
        network.load_state_dict(weights.state)


def require_fit(network: nn.Module, weights: Weights) -> None:
    """Compare the shapes of a network, which may be a sketch, with those of weights, which are not read for it.

    Raises:
        ValueError: if they are of another network.
    """
    own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for name in own | weights.shapes:  # type: ignore[operator]
        here, there = own.get(name, "missing"), weights.shapes.get(name, "missing")
        if here != there:
            raise ValueError(
                f"the weights are of another network: {name} is {there} there and {here} here. "
                f"Theirs is model.network={_said(weights.network)}."
            )


def same_network(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configurations build the same network, defaults included: weights may fit several."""
    return bool(with_defaults(dict(one)) == with_defaults(dict(other)))
