"""Fixtures that write small data sets."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pictures import write_reds


@pytest.fixture
def make_reds(tmp_path: Path) -> Callable[..., Path]:
    """Writes a REDS tree of ``sequences`` x ``frames`` pictures and returns its root."""

    def make(sequences: int = 2, frames: int = 3, test_sequences: int = 1, root: Path = tmp_path / "reds") -> Path:
        return write_reds(root, sequences=sequences, frames=frames, test_sequences=test_sequences)

    return make
