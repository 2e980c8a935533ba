"""The moving average of the weights: its formula, and that it comes with all that the default keeps."""

import pytest
import torch
from omegaconf import OmegaConf
from torch.optim.swa_utils import AveragedModel

from deblurlab.callbacks import EMA
from tests.composing import configuration


def test_the_average_follows_closely_at_first() -> None:
    """Against the formula in plain numbers, beyond the step at which the decay is reached (n = 8 for 0.5)."""
    network = torch.nn.BatchNorm1d(1)
    ema = EMA(decay=0.5)
    average = AveragedModel(network, use_buffers=True, multi_avg_fn=ema._average)
    expected = 0.0
    for n in range(20):
        value = float(n % 5)
        torch.nn.init.constant_(network.weight, value)
        network.num_batches_tracked += 3
        average.update_parameters(network)
        kept = min(0.5, (1 + n) / (10 + n))
        expected = value if n == 0 else kept * expected + (1 - kept) * value
        assert average.module.weight.item() == pytest.approx(expected, rel=1e-5)
        assert average.module.num_batches_tracked == network.num_batches_tracked


@pytest.mark.parametrize("decay", [1, -0.1, "x", None])
def test_a_decay_that_is_none(decay: object) -> None:
    with pytest.raises(ValueError, match=r"callbacks\.ema\.decay must be a number from 0 to below 1"):
        EMA(decay=decay)  # type: ignore[arg-type]


def test_it_is_a_switch_on_top_of_the_default() -> None:
    default, ema, both = (
        OmegaConf.to_container(configuration("train", "run=run", f"callbacks={choice}").callbacks)
        for choice in ("default", "ema", "[default,ema]")
    )
    assert ema == both
    assert isinstance(ema, dict)
    assert {name: entry for name, entry in ema.items() if name != "ema"} == default


@pytest.mark.parametrize("state", [{}, {"latest_update_step": ()}, {"latest_update_step": "5"}])
def test_an_odd_state_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the state of its moving average is invalid: latest_update_step is "):
        EMA(0.9).load_state_dict(state)
