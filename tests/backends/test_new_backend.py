"""What a further backend edits outside its own folder: the list of backends and a YAML file. Nothing else knows it."""

import json
from pathlib import Path

import pytest

from deblurlab import backends
from tests.backends.toy_backend import Toy
from tests.conftest import Call


def test_a_backend_is_an_entry_of_a_list_and_a_file(
    call: Call, tiny_reds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its callback sees test batches of four frames, because its devices split each of them by four."""
    toy = Toy()
    monkeypatch.setattr(backends, "BACKENDS", [*backends.BACKENDS, toy])
    (tmp_path / "own/trainer").mkdir(parents=True)
    (tmp_path / "own/trainer/toy.yaml").write_text("defaults:\n  - auto\n\naccelerator: toy\ndevices: 4\n")
    data = ("data=reds", f"data.root={tiny_reds}", "data.size=[72,128]", "data.batch_size=4")
    few = ("trainer.max_epochs=1", "trainer.limit_train_batches=1", "model.network.widths=[4,8]")
    call("train", "--config-dir", str(tmp_path / "own"), "trainer=toy", *data, *few, "run=run", "logger=none")
    assert toy.frame_counter.frames == [4]
    assert json.loads((tmp_path / "run/metrics.json").read_text())["images"] == 4
