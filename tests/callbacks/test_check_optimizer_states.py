"""The state of an optimizer that a checkpoint brings is one that the optimizer can go on with."""

from typing import Any

import pytest
import torch
from torch import nn

from deblurlab.callbacks.check_optimizer_states import oddities


def adam(**changes: Any) -> torch.optim.Adam:
    """An optimizer after a step, whose settings are changed; None removes one."""
    layer = nn.Conv2d(3, 4, 1)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3)
    layer(torch.ones(1, 3, 2, 2)).sum().backward()
    optimizer.step()
    state = optimizer.state_dict()
    for name, value in changes.items():
        if value is None:
            del state["param_groups"][0][name]
        else:
            state["param_groups"][0][name] = value
    optimizer.load_state_dict(state)
    return optimizer


@pytest.mark.parametrize("changes", [{}, {"lr": torch.tensor(0.1)}, {"lr": 1}, {"betas": [0.9, 0.99]}])
def test_a_state_as_it_may_be(changes: dict[str, Any]) -> None:
    assert list(oddities(adam(**changes))) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lr": None}, "lr is missing"),
        ({"lr": "odd"}, "lr is odd"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"betas": [0.9]}, "betas is [0.9]"),
        ({"betas": 3}, "betas is 3"),
        ({"maximize": 0.5}, "maximize is 0.5"),
    ],
)
def test_an_odd_setting_is_named(changes: dict[str, Any], said: str) -> None:
    assert list(oddities(adam(**changes))) == [said]


def test_a_state_of_another_shape_is_named() -> None:
    optimizer = adam()
    state = next(iter(optimizer.state.values()))
    state["exp_avg"] = state["exp_avg"].flatten()
    assert list(oddities(optimizer)) == ["exp_avg has the shape (12,), and its weights have (4, 3, 1, 1)"]


def test_a_state_without_what_the_others_have_is_named() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 3, 1))
    optimizer = torch.optim.Adam(layers.parameters())
    layers(torch.ones(1, 3, 2, 2)).sum().backward()
    optimizer.step()
    del next(iter(optimizer.state.values()))["exp_avg"]
    assert list(oddities(optimizer)) == ["exp_avg is not in the states of all weights"]


def test_a_weight_without_a_gradient_may_have_no_state() -> None:
    optimizer = adam()
    del optimizer.state[next(iter(optimizer.state))]
    assert list(oddities(optimizer)) == []


def test_a_state_of_no_weight_is_named() -> None:
    optimizer = adam()
    optimizer.state[3] = {"exp_avg": torch.zeros(4)}  # type: ignore[index]
    assert list(oddities(optimizer)) == ["a state is that of 3, which is not a weight"]


def test_the_states_of_matrices_and_vectors_may_differ() -> None:
    layer = nn.Conv2d(3, 4, 1)
    optimizer = torch.optim.Adafactor(layer.parameters())
    layer(torch.ones(1, 3, 2, 2)).sum().backward()
    optimizer.step()
    assert len({frozenset(state) for state in optimizer.state.values()}) == 2
    assert list(oddities(optimizer)) == []
