"""The settings of the panel of images. What it shows is in tests/test_train.py."""

from pathlib import Path

import pytest

from deblurlab.callbacks import Panel


@pytest.mark.parametrize("setting", ["every_n_epochs", "images"])
def test_no_panel_is_not_zero_images_or_epochs(setting: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"callbacks\.panel\.{setting} must be a whole number from 1, got 0"):
        Panel(str(tmp_path), **{setting: 0})
