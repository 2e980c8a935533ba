import pytest
import torch
from torch import nn

from deblurlab import nets
from deblurlab.interfaces import Network, as_scales, size_multiple


@pytest.mark.parametrize(
    ("network", "multiple", "scales"),
    [
        (nets.REDNet30(), 1, 1),
        (nets.ResNet16(), 8, 1),
        (nets.UNet16(), 8, 1),
        (nets.UNet16(widths=(4, 8)), 2, 1),
        (nets.MSDeblur(blocks=1), 4, 3),
        (nn.Conv2d(3, 3, 1), 1, 1),  # a network of a user that says nothing
    ],
)
def test_the_contract_of_a_network(network: nn.Module, multiple: int, scales: int) -> None:
    assert isinstance(network, Network) == (not isinstance(network, nn.Conv2d))
    assert size_multiple(network) == multiple
    blurred = torch.rand(2, 3, 8 * multiple, 4 * multiple)
    restored = as_scales(network(blurred))
    assert [image.shape[-2] for image in restored] == [8 * multiple // 2**scale for scale in range(scales)]
    assert restored[0].shape == blurred.shape


@pytest.mark.parametrize(
    ("output", "kind"),
    [({"image": 1}, "dict"), (None, "NoneType"), ((torch.ones(1), None), "NoneType, Tensor"), ([], "no images")],
)
def test_what_is_no_image_is_refused(output: object, kind: str) -> None:
    with pytest.raises(ValueError, match=f"the network returned {kind}: it must return the restored images"):
        as_scales(output)  # type: ignore[arg-type]
