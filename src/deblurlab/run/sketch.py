"""A network without its numbers, to see what a configuration asks for before memory is spent on it."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

_Network = TypeVar("_Network", bound=nn.Module)


class _TooManyError(Exception):
    """Ends a constructor that goes on and on."""


def sketch(build: Callable[[], _Network], *, tensors: int) -> _Network:
    """What ``build`` makes, on torch's device "meta": shapes alone.

    Args:
        build: Makes a network.
        tensors: How many tensors there are to fill it. A network registers each of its parameters, buffers and
            modules; ``build`` is stopped when these are far more.

    Raises:
        ValueError: if ``build`` was stopped.
    """
    limit, count = 1000 + 4 * tensors, 0

    def registered(*_: Any) -> None:
        nonlocal count
        count += 1
        if count > limit:
            raise _TooManyError

    hooks = [
        register(registered)
        for register in (
            register_module_parameter_registration_hook,
            register_module_buffer_registration_hook,
            register_module_module_registration_hook,
        )
    ]
    try:
        with torch.device("meta"):
            return build()
    except Exception as error:  # Hydra wraps what the constructor raised
        if count <= limit:
            raise
        raise ValueError(
            f"the network that is asked for is far larger than the {tensors} tensors there are."
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
