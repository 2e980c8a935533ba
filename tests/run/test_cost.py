"""The parameters and multiply-adds of a network."""

import pytest
import torch

from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh
from deblurlab.nets import UNet16
from deblurlab.nets.folding import fold_rows
from deblurlab.run.cost import measure_size
from deblurlab.tasks import Autoencoder


def test_size() -> None:
    task = Autoencoder(network=UNet16(widths=(4, 8)), loss=LogCosh(), optimizer=torch.optim.Adam)
    task.critic = torch.nn.Linear(100, 100)  # as a WGAN has one
    image = torch.rand(2, 3, 16, 24)
    size = measure_size(task.eval(), Pair(image, image, torch.ones(2, dtype=torch.bool), (2, 3)))
    full, half = 16 * 24, 16 * 24 // 4
    convolutions = [(9 * 3 * 4, full), (9 * 4 * 4, full), (9 * 4 * 8, half), (9 * 8 * 8, half), (4 * 8 * 4, half)]
    convolutions += [(9 * 8 * 4, full), (9 * 4 * 4, full), (1 * 4 * 3, full)]
    assert size.flops == sum(2 * weights * pixels for weights, pixels in convolutions)
    assert size.kmacs_per_pixel == pytest.approx(size.flops / 2000 / 384)
    assert size.parameters == sum(parameter.numel() for parameter in task.network.parameters())
    fold_rows(task.network)  # as evaluate on XLA leaves it: the zeros in its kernels are no work
    assert measure_size(task, Pair(image, image, torch.ones(2, dtype=torch.bool), (2, 3))) == size
