"""What a trainer is given by each data module, and in which order."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback

from tests.conftest import write_tiny_cifar10
from tests.data.modules.seen import KINDS, Ahead, digest, evaluate, fit, maker

GOLDEN = Path(__file__).with_name("golden_batches.json")
DRAWN_BLUR = {"cifar10", "sample", "photographs"}


def first_batches(kind: str, folder: Path, cifar10: Path) -> dict[str, Any]:
    """Digests of the first two batches of two epochs of training, of validation and of the test, and what commands
    ask for after a test.
    """
    data = maker(kind, folder, cifar10)()
    notes = fit(data, max_epochs=2, limit_train_batches=2, limit_val_batches=2)
    evaluate(data, notes, limit_test_batches=2)
    return {
        "train": [notes.training_epochs[epoch] for epoch in (0, 1)],
        "val": notes.evaluated["val"],
        "test": notes.evaluated["test"],
        "examples": digest(data.examples("val", [2, 0])),
        "labels": {name: list(values[:3]) for name, values in data.labels("test").items()},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_batches_have_not_changed(kind: str, tmp_path: Path, tiny_cifar10: Path) -> None:
    """A change that is meant to change them says so in its commit and writes the file anew:
    ``python -m tests.data.modules.test_order``.
    """
    assert first_batches(kind, tmp_path, tiny_cifar10) == json.loads(GOLDEN.read_text())[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_two_epochs_differ_and_a_second_run_repeats_them(kind: str, tmp_path: Path, tiny_cifar10: Path) -> None:
    make = maker(kind, tmp_path, tiny_cifar10)
    first = fit(make(), max_epochs=2, limit_val_batches=0)
    again = fit(make(), max_epochs=2, limit_val_batches=0, strategy=Ahead("cpu"))
    assert list(first.training_epochs) == [0, 1]
    assert again.training_epochs == first.training_epochs

    assert len(first.order[0]) == len(first.order[1])
    assert first.order[0] != first.order[1]
    both = first.flips[0].keys() & first.flips[1].keys()
    assert len(both) > 15
    assert any(first.flips[0][image] != first.flips[1][image] for image in both)
    new = [first.blurs[0][image] != first.blurs[1][image] for image in both]
    if kind in DRAWN_BLUR:
        assert sum(new) > 0.9 * len(new)  # two blurs nearly alike have one kernel of whole numbers
    else:
        assert any(new) == (kind == "mixed")


class KeepAll(Callback):
    """A checkpoint after every batch and at every epoch's end, called by the number of batches until then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        trainer.save_checkpoint(self.folder / f"{trainer.global_step}.ckpt")

    def on_train_epoch_end(self, trainer: Trainer, *_: Any) -> None:
        trainer.save_checkpoint(self.folder / f"{trainer.global_step}.end.ckpt")


@pytest.mark.parametrize("limit", [None, 3])
@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("kind", ["cifar10", "photographs"])
def test_every_checkpoint_resumes_to_the_batches_that_are_left(
    kind: str, ahead: bool, limit: int | None, tmp_path: Path, tiny_cifar10: Path
) -> None:
    """Within an epoch, after its last batch and at its end, also where the trainer ends it early."""
    make = maker(kind, tmp_path, tiny_cifar10)

    def batches(**options: Any) -> list[str]:
        strategy = Ahead("cpu") if ahead else "auto"
        notes = fit(make(), max_epochs=2, limit_train_batches=limit, limit_val_batches=0, strategy=strategy, **options)
        return [batch for epoch in notes.training_epochs.values() for batch in epoch]

    whole = batches(callbacks=[KeepAll(tmp_path)])
    checkpoints = list(tmp_path.glob("*.ckpt"))
    assert len(checkpoints) == len(whole) + 2
    for checkpoint in checkpoints:
        rest = whole[int(checkpoint.name.partition(".")[0]) :]
        assert batches(ckpt_path=checkpoint) == rest, checkpoint.name


if __name__ == "__main__":
    lines = []
    for name in KINDS:
        with tempfile.TemporaryDirectory() as scratch:
            made = first_batches(name, Path(scratch), write_tiny_cifar10(Path(scratch) / "cifar10"))
        lines.append(f'"{name}": {json.dumps(made)}')
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
