"""A network that averages over the flips and rotations of its images, for ``evaluate tta=true``."""

from torch import Tensor, nn

from deblurlab.interfaces import as_scales, size_multiple
from deblurlab.restoring.tiles import TURNS, averaged


class SelfEnsemble(nn.Module):
    """Restores the 8 flips and rotations of each image and averages the results (EDSR, Lim et al., 2017).

    Papers mark the name of a network that is tested in this way with a plus.

    Args:
        network: See :class:`deblurlab.interfaces.Network`. If it returns several scales, the first is used.

    Shape: as for the network, without further scales.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.size_multiple = network, size_multiple(network)

    def forward(self, blurred: Tensor) -> Tensor:
        return averaged([lambda images: as_scales(self.network(images))[0]] * len(TURNS), blurred)
