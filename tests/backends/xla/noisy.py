"""Networks that draw random numbers on the device."""

from pathlib import Path

import torch
from torch import Tensor, nn


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        noise = torch.rand_like(images) if self.training else torch.zeros_like(images)
        restored: Tensor = self.conv(images) + noise
        return restored


class Telling(Noisy):
    """Appends the mean of the random numbers of each training batch to a file."""

    def __init__(self, *, file: str) -> None:
        super().__init__()
        self.file = Path(file)

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            with self.file.open("a") as stream:
                stream.write(f"{float(torch.rand_like(images).mean())}\n")
        return super().forward(images)
