"""What is measured of networks whose reach and memory are known."""

import pytest
import torch
from torch import Tensor, nn

from deblurlab.nets.local_mean import extended, window_means
from deblurlab.restoring.peak_memory import PeakMemory
from deblurlab.restoring.probe import Reach, measured, probe


@pytest.mark.parametrize(("side", "pixels"), [((1, 1), 0), ((3, 3), 1), ((3, 9), 4), ((9, 3), 4)])
def test_a_convolution_looks_half_its_kernel_far(side: tuple[int, int], pixels: int) -> None:
    layer = nn.Conv2d(3, 3, side, padding=(side[0] // 2, side[1] // 2))
    nn.init.constant_(layer.weight, 0.2)
    assert measured(lambda _: layer.eval(), 1, torch.device("cpu")).reach == Reach(pixels, False)


def test_means_over_the_image_are_told_from_how_far_a_network_looks_beside_them() -> None:
    layer = nn.Conv2d(3, 3, 5, padding=2)
    nn.init.constant_(layer.weight, 0.2)

    def network(images: Tensor) -> Tensor:
        return layer(images) * (1 + 10 * images.mean((2, 3), keepdim=True))

    found = measured(lambda _: network, 1, torch.device("cpu")).reach
    assert found.beyond
    assert 1 <= found.pixels <= 2


def test_means_over_a_window_are_looked_at_as_far_as_the_window_reaches() -> None:
    """A window of 240 pixels near a cut is moved inwards, so that positions up to 120 pixels away see another one."""

    def network(images: Tensor) -> Tensor:
        return images + extended(window_means(images, 240), images)

    found = measured(lambda _: network, 1, torch.device("cpu"), window=240).reach
    assert not found.beyond
    assert 100 <= found.pixels <= 120


def test_a_huge_window_is_the_whole_image_and_asks_for_no_huge_probe() -> None:
    sizes = []

    def network(images: Tensor) -> Tensor:
        sizes.append(images.numel())
        return images + extended(window_means(images, 10**9), images)

    assert measured(lambda _: network, 1, torch.device("cpu"), window=10**9).reach.beyond
    assert max(sizes) <= 3 * 64 * 2048


def test_a_network_that_gives_nan_looks_at_everything() -> None:
    found = measured(lambda _: lambda images: images * float("nan"), 1, torch.device("cpu")).reach
    assert found.beyond


def test_the_probe_suits_the_network() -> None:
    for multiple in (1, 8, 48):
        height, width = probe(multiple).shape[2:]
        assert height % multiple == (width // 2) % multiple == 0
    assert 0 <= probe(1).min() < 0.1
    assert 0.9 < probe(1).max() <= 1


def test_the_peak_counts_what_lives_at_a_time() -> None:
    """Of x, x + 1 and their sum there are three at a time; views and what is freed do not count."""
    with PeakMemory() as memory:
        one = torch.zeros(1000)
        for _ in range(5):
            two = one.view(10, 100) + 1
            three = one + two.view(-1)
            del two, three
    assert memory.peak == 3 * 4000


def test_the_memory_of_a_network_is_that_of_its_features() -> None:
    network = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU(), nn.Conv2d(16, 3, 1)).eval()
    per_pixel = measured(lambda _: network, 1, torch.device("cpu")).bytes_per_pixel
    assert per_pixel == 4 * (16 + 16)  # the picture is made before
