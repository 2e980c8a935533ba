"""Network weights with the configuration to rebuild the network: from a run, a checkpoint, a file, or shipped ones."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from deblurlab.checks.command_line import assignment
from deblurlab.run import weights_file
from deblurlab.run.checkpoint_content import require_numbers
from deblurlab.run.defaults import with_defaults
from deblurlab.run.hub import fetched
from deblurlab.run.run_folder import HUB, RunFolder, weights_name
from deblurlab.run.saved_run import load_run

log = logging.getLogger(__name__)

# The folder of the weights that come with deblurlab.
FOLDER = Path(__file__).parents[1] / "zoo"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A network's weights with the configuration to rebuild it.

    Attributes:
        title: The name of the weights: see :func:`~deblurlab.run.run_folder.weights_name`.
        network: The network's configuration, ``_target_`` and its arguments.
        config: The whole configuration in ``source``, of which ``network`` is a part.
        source: The file with the configuration.
        file: The file with parameters and buffers; it may be the same.
        shapes: The shapes of parameters and buffers, by name.
        read: Reads parameters and buffers, by name.
    """

    title: str
    network: dict[str, Any]
    config: Mapping[str, Any] | DictConfig
    source: Path
    file: Path
    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[], dict[str, Tensor]]

    @cached_property
    def state(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, read at the first access."""
        return self.read()


def shipped() -> list[str]:
    """The names of the weights that come with deblurlab."""
    return sorted(file.stem for file in FOLDER.glob("*.safetensors"))


def save(network: nn.Module, config: Mapping[str, Any] | DictConfig, file: Path) -> None:
    """Write a network's weights with its configuration, completely or not at all."""
    weights_file.write(network.state_dict(), config, file)


def extract(checkpoint: Path, config: Mapping[str, Any], file: Path) -> None:
    """Write a checkpoint's weights as a weights file. It uses no device, so that one host of many can do it alone."""
    weights_file.write(_stored(checkpoint), config, file)


def _stored(checkpoint: Path) -> dict[str, Tensor]:
    """The state of a checkpoint's network, without that of a critic."""
    from deblurlab.run.checkpoint import AtomicCheckpointIO  # Lightning's, which takes seconds to import

    state = AtomicCheckpointIO().load_checkpoint(checkpoint)["state_dict"]
    prefix = "network."
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def load(weights: str) -> Weights:
    """Read the weights that ``weights`` names: a run's folder, its checkpoint, a weights file or a shipped name.

    ``hf://OWNER/REPO/FILE`` is a weights file on the Hugging Face Hub: see :func:`deblurlab.run.hub.fetched`.

    A weights file is a safetensors file of deblurlab, or a safetensors or ``.pth`` file that others have published, if
    its network is recognised by the names of its tensors. Its network can only be one of ``deblurlab.nets``. The
    configuration in a run's folder can name any class, so it must be checked before the network is built. A checkpoint
    is read at once, with ``weights_only=True``. In a run's folder, ``best.ckpt`` is used if it exists, and otherwise
    the weights file.

    Raises:
        ValueError: If there are no such weights, or the file is damaged or not of a known format.
    """
    weights = str(weights)
    if weights in shipped():
        return _from_file(FOLDER / f"{weights}.safetensors", weights)
    path = fetched(weights) if weights.startswith(HUB) else Path(weights)
    if path.is_dir():
        run = RunFolder(path)
        path = run.best_checkpoint if run.best_checkpoint.is_file() else run.weights_file
    if not path.is_file():
        raise ValueError(
            f"weights={weights}: there is no such run, file or shipped name. Shipped: {', '.join(shipped())}."
        )
    if path.suffix in (".h5", ".hdf5"):
        raise ValueError(
            f"weights={weights} is a file of Keras: `deblurlab convert {assignment('input', weights)} model=...` "
            "reads the study's."
        )
    if path.suffix in (".onnx", ".pt2"):
        raise ValueError(
            f"weights={weights} is an exported network, which other runtimes run: name what it was exported from, such "
            "as a run's folder or its weights.safetensors."
        )
    title = weights_name(weights)
    return _from_file(path, title) if path.suffix in weights_file.SUFFIXES else _from_checkpoint(path, title)


def _from_file(file: Path, title: str) -> Weights:
    network, shapes, read = weights_file.read(file)
    return Weights(
        title=title,
        network=network,
        config={"model": {"network": network}},
        source=file,
        file=file,
        shapes=shapes,
        read=read,
    )


def _from_checkpoint(file: Path, title: str) -> Weights:
    if tuple(map(int, torch.__version__.split(".")[:2])) < (2, 10):
        log.warning(
            f"{file} is a checkpoint. PyTorch before 2.10, which is installed, can be made to run code by one "
            "(CVE-2026-24747): take checkpoints of your own runs only, and weights.safetensors from others."
        )
    run = RunFolder.of_checkpoint(file)
    if not run.is_run:
        raise ValueError(
            f"weights={file}: a checkpoint says which network it is of by its run's folder, which {run} is not. "
            f"Leave it in RUN/{run.checkpoints.name}/, or take RUN/{run.weights_file.name}."
        )
    config = load_run(run.path).config
    network = OmegaConf.to_container(config.model).get("network")  # type: ignore[union-attr]
    if not isinstance(network, dict) or "_target_" not in network:
        raise ValueError(f"{run.config_file} does not say which network the run has: model.network is missing.")
    state = _stored(file)
    return Weights(
        title=title,
        network={str(name): value for name, value in network.items()},
        config=config,
        source=run.config_file,
        file=file,
        shapes={name: tuple(value.shape) for name, value in state.items()},
        read=lambda: state,
    )


def fill(network: nn.Module, weights: Weights) -> None:
    """Load weights into a network.

    Raises:
        ValueError: If they are of another network, or one of them is NaN.
    """
    require_fit(network, weights)
    require_numbers(weights.state, weights.source)
    with torch.no_grad():
        network.load_state_dict(weights.state)


def start_from(weights: str, network: nn.Module, config: Mapping[str, Any]) -> None:
    """Load the weights that a training starts from, and warn if they were trained in a different network.

    Args:
        weights: The name of the weights: see :func:`load`.
        network: The network to train.
        config: The configuration of ``network``.

    Raises:
        ValueError: If there are no such weights, or they do not fit.
    """
    loaded = load(weights)
    fill(network, loaded)
    if not same_network(loaded.network, config):
        log.warning(f"the weights fit, but they were trained in another network: {loaded.network}, not {config}")


def require_fit(network: nn.Module, weights: Weights) -> None:
    """Check that the shapes of a network and of weights agree. The network may be on the device "meta".

    Raises:
        ValueError: If they differ.
    """
    own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for name in own | weights.shapes:  # type: ignore[operator]
        here, there = own.get(name, "missing"), weights.shapes.get(name, "missing")
        if here != there:
            raise ValueError(
                f"{weights.file}: the weights are of another network: {name} is {there} there and {here} here. "
                f"Theirs is model.network={weights_file.shortened(weights.network)}."
            )


def same_network(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configurations build the same network, with defaults for the arguments that they leave out.

    That the weights of one fit the other is not enough, since different networks may have weights of the same shapes.
    """
    return bool(with_defaults(dict(one)) == with_defaults(dict(other)))
