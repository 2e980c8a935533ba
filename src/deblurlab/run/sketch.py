"""A network without allocated tensors, to see how large it would be before memory is used for it."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.utils._python_dispatch import TorchDispatchMode

_Made = TypeVar("_Made")


class _TooManyError(Exception):
    """Ends a constructor that makes too many modules and tensors."""


class _WithoutDrawing(TorchDispatchMode):
    """While it is active, no random numbers are drawn on the device "meta".

    There they would have no effect, but to draw them PyTorch would import SymPy, which takes a second.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """PyTorch 2.14 would import Dynamo, which takes two seconds, only to hide the mode from it."""
        return False

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function in (torch.ops.aten.uniform_.default, torch.ops.aten.normal_.default) and args[0].is_meta:
            return args[0]
        return function(*args, **(kwargs or {}))


def sketch(build: Callable[[], _Made], *, tensors: int) -> _Made:
    """Make a network on torch's device "meta", where tensors have a shape but no numbers.

    Args:
        build: Makes the network, or a description of it.
        tensors: The number of tensors in the weights. A network registers each of its parameters, buffers and modules
            with torch; ``build`` is stopped once it has registered far more than this number.

    Raises:
        ValueError: If ``build`` was stopped.
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
        with torch.device("meta"), _WithoutDrawing():  # type: ignore[no-untyped-call]
            return build()
    except Exception as error:  # `build` may have wrapped what the constructor raised
        if count <= limit:
            raise
        raise ValueError(
            f"the network that is asked for is far larger than the {tensors} tensors there are."
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
