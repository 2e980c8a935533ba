"""Which loggers are dashboards."""

from pathlib import Path

import pytest
from lightning.pytorch.loggers import CSVLogger

from deblurlab.interfaces import Dashboard
from deblurlab.loggers import TensorBoard, Wandb


def test_ours_are_dashboards(tmp_path: Path) -> None:
    assert isinstance(Wandb(folder=str(tmp_path), project="deblurlab"), Dashboard)
    pytest.importorskip("tensorboard")
    assert isinstance(TensorBoard(tmp_path), Dashboard)


def test_a_table_of_values_is_none(tmp_path: Path) -> None:
    assert not isinstance(CSVLogger(tmp_path), Dashboard)
