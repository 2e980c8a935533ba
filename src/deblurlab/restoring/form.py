"""Chooses the precision and memory layout for restoring: the fastest that stays within an 8-bit step of float32."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from deblurlab.backends.fast_precision import fast_precision
from deblurlab.checks import require

Precision = Literal["auto", "32-true", "bf16-mixed"]

log = logging.getLogger(__name__)

# The largest difference from plain float32 on the probe. A picture has a thousand times as many pixels, so that the
# largest of its random rounding errors is about twice as large.
_TOLERANCE = 0.4 / 255
_LONG_ENOUGH = 0.3  # seconds of measuring; each form is measured two to ten times
_WORTH_IT = 1.05  # the least speed-up over float32: less is within the noise of the measurement


@dataclass(frozen=True, kw_only=True)
class Form:
    """A precision and memory layout. All forms compute the same function with different rounding.

    Attributes:
        bfloat16: Whether convolutions run in bfloat16, by autocast.
        channels_last: Whether the channels of a pixel are adjacent in memory.
    """

    bfloat16: bool = False
    channels_last: bool = False

    def __str__(self) -> str:
        return f"{'bfloat16' if self.bfloat16 else 'float32'}{', channels last' if self.channels_last else ''}"

    def run(self, network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """Apply the network to (B, 3, H, W) in this form."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.bfloat16):
            return network(images.contiguous(memory_format=layout))


def require_precision(precision: str) -> None:
    """Raise ValueError unless ``precision`` is a :data:`Precision`."""
    require.one_of("precision", precision, get_args(Precision))


def candidates(precision: Precision, device_type: str) -> list[Form]:
    """The forms to choose from. The plainest comes first; XLA uses that one.

    Args:
        precision: The precision that the user asks for.
        device_type: The type of the network's device, such as ``cuda``.

    Raises:
        ValueError: If ``precision`` is not a :data:`Precision`.
    """
    require_precision(precision)
    if precision == "bf16-mixed":
        return [Form(bfloat16=True), Form(bfloat16=True, channels_last=True)]
    forms = [Form(), Form(channels_last=True)]
    if precision == "auto" and device_type != "xla" and fast_precision(device_type) == "bf16-mixed":
        forms.append(Form(bfloat16=True, channels_last=True))
    return forms


def fastest(network: Callable[[Tensor], Tensor], picture: Tensor, forms: list[Form]) -> Form:
    """The form in which the network restores a picture fastest, of those whose result is close to that of the first.

    They are measured in turns, and the best time of each counts, so that other work on the machine affects all alike.

    Args:
        network: The network.
        picture: (1, 3, H, W) in [0, 1], on the network's device.
        forms: The forms; the first one is the reference.
    """
    results = [form.run(network, picture) for form in forms]  # also a warm-up, since first calls compile and allocate
    near = [form for form, one in zip(forms, results, strict=True) if bool(_distance(one, results[0]) <= _TOLERANCE)]
    seconds = dict.fromkeys(near, float("inf"))
    turns, start = 0, _now(picture.device)
    while len(near) > 1 and (turns < 2 or (turns < 10 and _now(picture.device) - start < _LONG_ENOUGH)):
        turns += 1
        for form in near:
            begin = _now(picture.device)
            form.run(network, picture)
            seconds[form] = min(seconds[form], _now(picture.device) - begin)
    best = min(near, key=lambda form: seconds[form] * (_WORTH_IT if form != forms[0] else 1), default=forms[0])
    if len(near) > 1:
        log.debug("Seconds on the probe: %s", {str(form): round(took, 4) for form, took in seconds.items()})
    return best


def _distance(one: Tensor, other: Tensor) -> Tensor:
    """The largest difference between two pictures that are clamped to [0, 1]; NaN if a value is NaN."""
    return (one.clamp(0, 1) - other.clamp(0, 1)).abs().max()


def _now(device: torch.device) -> float:
    """A time in seconds: on the CPU the computing time of this process, so that other processes do not count."""
    if device.type == "cpu":
        return time.process_time()
    torch.accelerator.synchronize()
    return time.perf_counter()
