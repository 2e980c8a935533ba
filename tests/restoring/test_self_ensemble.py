"""evaluate tta=true: the network over the flips and rotations of each image, turned back and averaged."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from deblurlab.nets import MSDeblur, UNet16
from deblurlab.restoring import Restorer, load_restorer
from deblurlab.restoring.self_ensemble import SelfEnsemble
from deblurlab.restoring.tiling import Tiling
from deblurlab.run.results import read_per_image, read_scores
from tests.conftest import Call
from tests.pictures import picture


def images(height: int = 40, width: int = 64) -> Tensor:
    return torch.from_numpy(picture(0, height, width)).permute(2, 0, 1)[None] / 255


class Right(nn.Module):
    """Shifts images by one pixel to the right."""

    def forward(self, blurred: Tensor) -> Tensor:
        return blurred.roll(1, -1)


def test_each_direction_counts_twice() -> None:
    blurred = images()
    expected = (blurred.roll(1, -1) + blurred.roll(-1, -1) + blurred.roll(1, -2) + blurred.roll(-1, -2)) / 4
    torch.testing.assert_close(SelfEnsemble(Right())(blurred), expected)


def test_it_restores_as_restore_does_with_tta() -> None:
    torch.manual_seed(0)
    network = UNet16(widths=(4, 8)).eval()
    ensemble = SelfEnsemble(network)
    assert ensemble.size_multiple == network.size_multiple
    with torch.no_grad():
        restored = ensemble(images())
        assert not torch.allclose(restored, network(images()), atol=1e-4)
    expected = Restorer(network).eval().restore(images(), tiling=Tiling(side=0), tta=True)
    torch.testing.assert_close(restored.clamp(0, 1), expected, atol=1e-5, rtol=0)


def test_of_several_scales_the_first_is_averaged() -> None:
    with torch.no_grad():
        assert SelfEnsemble(MSDeblur(blocks=1).eval())(images()).shape == (1, 3, 40, 64)


def test_evaluate_scores_the_average(call: Call, tmp_path: Path) -> None:
    restorer = load_restorer("cifar10_nafnet", device="cpu")
    for side in ("test/blurred", "test/sharp", "made"):
        (tmp_path / "pairs" / side).mkdir(parents=True)
    for number in range(2):
        sharp = picture(number, 45, 64)
        blurred = np.asarray(Image.fromarray(sharp).resize((32, 22)).resize((64, 45)))
        made = restorer.restore(blurred, tta=True, tiling=Tiling(side=0))
        for side, pixels in (("test/blurred", blurred), ("test/sharp", sharp), ("made", made)):
            Image.fromarray(pixels).save(tmp_path / "pairs" / side / f"{number}.png")
    data = ("data=folder", f"data.root={tmp_path}/pairs", "data.whole_pictures=true")
    for name, overrides in {
        "tta": ["weights=cifar10_nafnet", "tta=true", "trainer.precision=32-true"],
        "plain": ["weights=cifar10_nafnet", "trainer.precision=32-true"],
        "made": [f"restored={tmp_path}/pairs/made"],
    }.items():
        call("evaluate", *overrides, *data, f"output={tmp_path}/{name}")
    scores = {
        name: read_per_image(tmp_path / name / "per_image.csv")["restored_psnr"] for name in ("tta", "plain", "made")
    }
    marked = {name: read_scores(tmp_path / name / "metrics.json").get("tta") for name in scores}
    assert marked == {"tta": True, "plain": None, "made": None}
    np.testing.assert_allclose(scores["tta"], scores["made"], atol=0.05)  # files have 8 bits
    assert np.abs(np.subtract(scores["tta"], scores["plain"])).min() > 0.05
