"""Nested settings with dotted keys."""

from deblurlab.run.flat_settings import flat, is_below


def test_nested_settings_get_dotted_keys() -> None:
    nested = {"model": {"optimizer": {"lr": 0.1}, "widths": [16, 32], "loss": {}}, "seed": None}
    assert flat(nested) == {"model.optimizer.lr": 0.1, "model.widths": [16, 32], "seed": None}


def test_a_key_is_below_itself_and_its_parents_but_not_below_a_longer_or_shorter_name() -> None:
    assert is_below("data.root", ["data"])
    assert is_below("data.root", ["seed", "data.root"])
    assert not is_below("data", ["data.root"])
    assert not is_below("database", ["data"])
