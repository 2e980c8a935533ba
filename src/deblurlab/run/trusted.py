"""Checks which classes the configuration in the folder of a run names, since a stranger may have made the folder.

The class that a ``_target_`` names is imported and called when the configuration is built. In the folder of a run it
must be a class for training networks, of deblurlab or of the packages that deblurlab is built on. Everything else is
refused by its name alone, before it is imported.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pkgutil import resolve_name
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

# Subpackages whose classes are harmless to construct: they only hold numbers. Subpackages with classes that read files
# named by their arguments are left out, such as torchmetrics.text and kornia.feature.
_OPEN = (
    *(f"deblurlab.{part}" for part in ("nets", "losses", "data", "tasks", "callbacks", "loggers")),
    *("torch.nn", "torch.optim", "torchvision.models", "torchvision.ops", "torchvision.transforms"),
    *("lightning.pytorch", "torchmetrics.image", "torchmetrics.regression", "torchmetrics.aggregation"),
    *(f"kornia.{part}" for part in ("losses", "metrics", "filters", "color", "enhance", "geometry", "morphology")),
)
PACKAGES = tuple(dict.fromkeys(part.split(".")[0] for part in _OPEN))
_FUNCTIONS = tuple(f"deblurlab.tasks.schedules.{name}" for name in ("constant_then_exponential", "warmup_cosine"))
_PUBLIC = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")


class UntrustedError(ValueError):
    """A configuration names a class or function that it may not name."""


def packages(trust: Any) -> tuple[str, ...]:
    """Check the value of the key ``trust``.

    Args:
        trust: A list of names of packages, such as ``["mynet"]``.

    Raises:
        ValueError: If it is not such a list, or names a package of Python itself or one of :data:`PACKAGES`: with all
            their functions, a folder could do anything. The harmless classes of the latter are allowed anyway.
    """
    names: list[Any] = list(trust) if isinstance(trust, list | tuple | ListConfig) else [None]
    if not all(isinstance(name, str) and re.fullmatch(r"\w+(\.\w+)*", name) for name in names):
        raise ValueError(f"trust must be a list of names of packages, such as trust=[mynet], got {trust}.")
    for name in names:
        if _top(name) in (*PACKAGES, *sys.stdlib_module_names):
            raise ValueError(
                f"trust=[{name}]: trust takes packages of your own, not one with which a folder can do all."
            )
    return tuple(names)


def check(config: Mapping[str, Any] | DictConfig, *, trust: Sequence[str], source: str) -> None:
    """Refuse a configuration that names anything but classes of networks, losses, data sets, optimizers and the like.

    Args:
        config: The whole configuration of a run; it holds no interpolations.
        trust: Names of packages of which it may name anything.
        source: The file that the configuration was read from, for the message.

    Raises:
        UntrustedError: With the file, the key and the name in its message.
    """
    plain = OmegaConf.to_container(config, resolve=False) if isinstance(config, DictConfig) else config
    for place, name in targets(plain):
        where = f"{source}: {'.'.join(place) or '_target_'}"
        if not isinstance(name, str) or not _PUBLIC.fullmatch(name):
            raise UntrustedError(f"{where} names {str(name)[:200]!r}, which is not the public name of a class.")
        if any(_below(name, package) for package in trust):
            continue
        if _top(name) not in PACKAGES:
            cure = f": if you trust this folder, add trust=[{_top(name)}]" * (_top(name) not in sys.stdlib_module_names)
            raise UntrustedError(
                f"{where} names {name}, which is not of {', '.join(PACKAGES[:-1])} or {PACKAGES[-1]}{cure}."
            )
        if not any(_below(name, part) for part in _OPEN) or not _expected(name, place):
            raise UntrustedError(f"{where} names {name}, which the configuration of a run may not name there.")


def check_metrics(names: Any, *, trust: Sequence[str], source: str) -> None:
    """Refuse metrics of a resumed run that are not deblurlab's own, since their code would be imported.

    Args:
        names: The value of the key ``metrics``.
        trust: Names of packages of which it may name anything.
        source: The file that it was read from, for the message.

    Raises:
        UntrustedError: With the file and the metric in its message.
    """
    for name in names if isinstance(names, list) else [names] * (names is not None):
        if not isinstance(name, str) or ("." in name and not any(_below(name, package) for package in trust)):
            cure = f"if you trust this folder, add trust=[{_top(str(name))}]; metrics=[] continues without it"
            raise UntrustedError(
                f"{source}: metrics names {str(name)[:200]}, which is not a score of deblurlab: {cure}."
            )


def foreign_packages(config: DictConfig) -> list[str]:
    """The names of the packages that ``trust`` must list before this configuration of a run is used."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    names = [str(name) for _, name in targets(plain)]
    names += [str(name) for name in plain.get("metrics") or [] if "." in str(name)]
    return sorted({_top(name) for name in names} - {*PACKAGES, *sys.stdlib_module_names})


def targets(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each ``_target_`` in nested mappings and lists: the path of keys to its mapping, and its value."""
    if isinstance(value, Mapping):
        if "_target_" in value:
            yield place, value["_target_"]
        for key, inner in value.items():
            yield from targets(inner, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from targets(inner, (*place, str(number)))


def _expected(name: str, place: tuple[str, ...]) -> bool:
    """Import an allowed name, and return whether it is a class of a kind that is expected at its place."""
    from deblurlab.nets.published import MissingPackageError  # imports torch

    if name in _FUNCTIONS:
        return place[:1] == ("model",)
    try:
        found = resolve_name(name)
    except MissingPackageError:
        raise
    except Exception:  # an import may raise anything: the configuration is of another version, or made up
        return False
    return isinstance(found, type) and _top(found.__module__) in PACKAGES and issubclass(found, _kinds(place))


def _kinds(place: tuple[str, ...]) -> tuple[type, ...]:
    """The base classes that are expected at a place.

    Each place imports its own: a network alone does not need Lightning, which takes seconds to import.
    """
    match place:
        case ():  # the whole configuration is not built
            return ()
        case ("model",):
            from lightning.pytorch import LightningModule

            return (LightningModule,)
        case ("model", *_):
            from torch.nn import Module
            from torch.optim import Optimizer
            from torch.optim.lr_scheduler import LRScheduler

            from deblurlab.losses import Wasserstein

            return (Module, Optimizer, LRScheduler, Wasserstein)
        case ("data",):
            from lightning.pytorch import LightningDataModule

            return (LightningDataModule,)
        case ("data", *_):
            from torch.nn import Module

            from deblurlab.data import CameraBlur, Layout, ListedLayout

            return (Module, CameraBlur, Layout, ListedLayout)
        case _:
            from lightning.pytorch import Callback, Trainer
            from lightning.pytorch.loggers import Logger
            from lightning.pytorch.profilers import Profiler
            from lightning.pytorch.strategies import Strategy

            return (Trainer, Callback, Logger, Profiler, Strategy)


def _top(name: str) -> str:
    return name.split(".")[0]


def _below(name: str, package: str) -> bool:
    return name.startswith(package + ".")
