"""The scores that ``metrics=[...]`` adds to a test: perceptual and aligned ones, and a user's own."""

import importlib
import importlib.util
import logging
import pkgutil
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from deblurlab.checks.words import how_to_find
from deblurlab.metrics.aligned import AlignedScore, Alignment
from deblurlab.metrics.perceptual import perceptual
from deblurlab.metrics.scores import ALIGNED, COUNTS_OF_INFINITE, PERCEPTUAL, SCORES, count_of_infinite

log = logging.getLogger(__name__)

# Large enough for scores that look at an image at several scales, such as MS-SSIM.
_TRIAL_SIDE = 256


class _OwnMetric(nn.Module):
    """A user's own metric, with a check of what it returns.

    Args:
        path: The Python path of the metric, for the error message.
        metric: The function or module.
    """

    def __init__(self, path: str, metric: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.path, self.metric = path, metric

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        values = self.metric(restored, sharp)
        if not isinstance(values, Tensor) or values.shape != (len(restored),):
            raise ValueError(
                f"metrics=[{self.path}] must return one value per image, a tensor of ({len(restored)},), got "
                f"{tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__}."
            )
        return values


def further_metrics(names: Sequence[str]) -> dict[str, nn.Module]:
    """Make the metrics that ``metrics=[...]`` names.

    Args:
        names: ``lpips``, ``dists``, ``aligned_psnr``, ``aligned_ssim``, or the Python path of a user's own metric, such
            as ``my_package.my_metric``: a function, or the class of a module whose constructor needs no arguments.

    Returns:
        The metrics by the last parts of their names, which are their titles in tables. Each takes restored and sharp
        images, two (B, 3, H, W) batches in about [0, 1], and returns one value per image, (B,).

    Raises:
        ValueError: If a metric cannot be made, has the same name as another score, or does not return one value per
            image. Each is tried at once, because a test comes after hours of training.
    """
    found: dict[str, nn.Module] = {}
    alignment = Alignment([name for name in names if name in ALIGNED])
    taken = [*(score.name for score in SCORES), *COUNTS_OF_INFINITE.values(), "images"]
    for path in names:
        name = path.rpartition(".")[2]
        keys = (name, count_of_infinite(name))
        for key in keys:
            if key in taken:
                raise ValueError(f"metrics=[{path}]: a test already has a score {key}: give this one another name.")
        taken += keys
        found[name] = _own(path) if "." in path else _named(path, alignment)
    return found


def _named(name: str, alignment: Alignment) -> nn.Module:
    if name in PERCEPTUAL:
        return perceptual(name)
    if name in ALIGNED:
        return AlignedScore(name, alignment)
    raise ValueError(
        f"metrics=[{name}]: choose from {', '.join([*PERCEPTUAL, *ALIGNED])}, or name a metric of yours by its Python "
        "path, such as my_package.my_metric."
    )


def _own(path: str) -> nn.Module:
    try:
        found = _found(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"metrics=[{path}] cannot be imported: {error}{how_to_find(error, path)}") from error
    metric = found() if isinstance(found, type) else found
    if not callable(metric):
        raise ValueError(f"metrics=[{path}] is {metric!s:.80}, neither a function nor a module.")
    own = _OwnMetric(path, metric).eval()
    _try(own)
    return own


def _try(own: _OwnMetric) -> None:
    """Compute a score of two random images; whatever it draws leaves the random numbers of the training as they are."""
    trial = torch.rand(2, 3, _TRIAL_SIDE, _TRIAL_SIDE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        try:
            own(trial, trial.flip(0))
        except ValueError:
            raise
        except Exception as error:  # no reason to refuse it: it may be made for images of one size
            log.warning(
                f"metrics=[{own.path}] failed on two images of {_TRIAL_SIDE}x{_TRIAL_SIDE} pixels, on which each "
                f"score is tried: {type(error).__name__}: {error}"
            )


def _found(path: str) -> object:
    """What a path names. If a module of it cannot be imported, this raises the error in that module."""
    try:
        return pkgutil.resolve_name(path)
    except AttributeError:  # also where the module is there, but its own imports fail
        parts = path.split(".")
        for count in range(2, len(parts)):
            module = ".".join(parts[:count])
            if importlib.util.find_spec(module) is None:
                break
            importlib.import_module(module)
        raise
