"""Deblurring networks of other authors, whose code is in the packages spandrel and spandrel_extra_arches.

They become networks of deblurlab by what their own code leaves open: which heights and widths they take. Nothing here
is imported before one of them is asked for.
"""

from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, cast

from torch import Tensor, nn

from deblurlab.nets.image_size import require_multiple


class MissingPackageError(ValueError):
    """The package that has a network is not installed."""


class _Source(NamedTuple):
    """Where a network's code is.

    Attributes:
        package: The package that has it.
        size_multiple: Height and width of its images are multiples of this.
    """

    package: str
    size_multiple: int


_SOURCES = {
    "FFTformer": _Source("spandrel", 32),  # Kong et al., 2023
    "Restormer": _Source("spandrel_extra_arches", 8),  # Zamir et al., 2022
    "MPRNet": _Source("spandrel_extra_arches", 8),  # Zamir et al., 2021
    "M3SNet": _Source("spandrel_extra_arches", 16),  # Gao et al., 2023
}
NAMES = tuple(_SOURCES)


@cache
def network_class(name: str) -> type[nn.Module]:
    """The class of a published network, which keeps the contract of :class:`deblurlab.interfaces.Network`.

    Its arguments, and the names of its parameters and buffers, are those of the authors.

    Args:
        name: One of :data:`NAMES`.

    Raises:
        MissingPackageError: If the package that has the network is not installed; the message says how to install it.
    """
    source = _SOURCES[name]
    authors: Any = getattr(_module(name), name)

    def forward(self: nn.Module, blurred: Tensor) -> Tensor | list[Tensor]:
        require_multiple(blurred, source.size_multiple, name)
        restored = authors.forward(self, blurred)
        # MPRNet has three stages, each of which restores the image: the last one comes first
        return list(restored) if isinstance(restored, tuple) else restored

    attributes = {
        "__module__": "deblurlab.nets",
        "__doc__": f"{name}, as its authors published it; the code is that of {source.package}.",
        "size_multiple": source.size_multiple,
        "forward": forward,
    }
    return cast(type[nn.Module], type(name, (authors,), attributes))


def architecture(name: str) -> Any:
    """What spandrel knows of a published network: ``detect`` and ``load`` take its tensors by name.

    Args:
        name: One of :data:`NAMES`.

    Raises:
        MissingPackageError: If the package that has the network is not installed.
    """
    return getattr(_module(name), f"{name}Arch")()


def _module(name: str) -> Any:
    package = _SOURCES[name].package
    try:
        return import_module(f"{package}.architectures.{name}")
    except ModuleNotFoundError as error:
        install = "'deblurlab[spandrel]'" if package == "spandrel" else package
        raise MissingPackageError(f"{name} needs the package {package}: pip install {install}") from error
