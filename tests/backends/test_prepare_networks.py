"""A backend says whether networks fold, and whatever runs them on it has them fold."""

from pathlib import Path
from typing import ClassVar

import pytest
import torch
from PIL import Image

from deblurlab import backends
from deblurlab.nets import UNet16
from deblurlab.nets.folding import networks
from deblurlab.restoring import load_restorer
from deblurlab.run import weights
from tests.backends.toy_backend import Toy
from tests.conftest import Call
from tests.pictures import picture


class FoldingToy(Toy):
    accelerators: ClassVar[frozenset[str]] = frozenset({"toy", "auto"})
    folds: ClassVar[bool] = True


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of each fold, once the backend `toy` is there and preferred to all others."""
    rows: list[int] = []
    fold = networks.fold
    monkeypatch.setattr(networks, "fold", lambda images, count: rows.append(count) or fold(images, count))
    monkeypatch.setattr(backends, "BACKENDS", [FoldingToy(), *backends.BACKENDS])
    return rows


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    file = tmp_path / "net.safetensors"
    weights.save(UNet16(widths=[4, 8]), {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}, file)
    return file


def test_training_and_its_test(folded: list[int], call: Call, tmp_path: Path, tiny_cifar10: Path) -> None:
    short = ("trainer.max_epochs=1", "trainer.limit_train_batches=1", "run=run", "logger=none")
    toy = ("trainer.accelerator=toy", "trainer.devices=1", "data.batch_size=8")
    call("train", *toy, f"data.root={tiny_cifar10}", "data=cifar10", "model.network.widths=[4,8]", *short)
    assert set(folded) == {2}
    assert len(folded) > 2


def test_restoring(folded: list[int], saved: Path, call: Call, tmp_path: Path) -> None:
    Image.fromarray(picture(0, 24, 24)).save(tmp_path / "a.png")
    call("restore", "input=a.png", f"weights={saved}", "trainer.accelerator=toy", "output=out")
    assert set(folded) == {2}


def test_a_notebook(folded: list[int], saved: Path) -> None:
    load_restorer(saved)(torch.rand(1, 3, 8, 8))
    assert folded == [2]
    load_restorer(saved, device="cpu")(torch.rand(1, 3, 8, 8))
    assert folded == [2]
