"""A score of a user's own, which ``evaluate metrics=[my_package.my_metric]`` adds to the table of a test."""

import pkgutil
from collections.abc import Callable

from torch import Tensor, nn


class _Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        return self.function(restored, sharp)


def own_metric(path: str) -> nn.Module:
    """A score of restored and sharp images, two (B, 3, H, W) batches in about [0, 1]; one value per image, (B,).

    Args:
        path: Where Python finds it: a function, or a module's class that is made without arguments.

    Raises:
        ValueError: if it cannot be imported.
    """
    try:
        found = pkgutil.resolve_name(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"metrics=[{path}] cannot be imported: {error}.") from error
    metric: nn.Module = found().eval() if isinstance(found, type) else _Function(found)
    return metric
