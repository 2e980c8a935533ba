import pytest
import torch
from torch import nn

from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh
from deblurlab.metrics.scores import SCORES
from deblurlab.nets import UNet16
from deblurlab.tasks.restoration import TrainedNetwork


class Given(nn.Module):
    """A score with given values."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.values = torch.tensor(values)

    def forward(self, restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
        return self.values


def test_infinite_values_of_further_scores_are_logged_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of PSNR, which each metrics.json counts, are always logged."""
    task = TrainedNetwork(UNet16(widths=(4, 8)), LogCosh()).eval()
    task.score_further({"never": Given(1.0, 3.0), "once": Given(1.0, torch.inf)})
    logged: dict[str, torch.Tensor] = {}
    monkeypatch.setattr(task, "log_dict", logged.update)
    with torch.no_grad():
        task.test_step(Pair(torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16), torch.ones(2, dtype=torch.bool)), 0)
    task.on_test_epoch_end()
    table = {score.name for score in SCORES} | {"images", "infinite_psnr"}
    for version in ("restored", "blurred"):
        of_version = {name.rpartition("/")[2]: float(value) for name, value in logged.items() if version in name}
        assert of_version.keys() == table | {"never", "once", "infinite_once"}
        assert [of_version[name] for name in ("never", "once", "infinite_once", "infinite_psnr")] == [2, 1, 1, 0]
