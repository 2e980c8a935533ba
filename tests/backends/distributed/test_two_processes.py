"""Two processes against one, by the command: ``trainer=cpu trainer.devices=2``, which meet by gloo."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.backends.xla.processes import environment
from tests.conftest import HANG_SECONDS, run_command
from tests.test_train_wgan import SMALL as WGAN

AUTOENCODER = (
    "model=unet16",
    "model.network={_target_: tests.backends.distributed.tiny.Normed}",
    "model.optimizer.lr=1e-3",
    "trainer=cpu",
    "trainer.precision=32-true",
    "data=cifar10",
    "data.batch_size=8",
)
TWO = "trainer.devices=2"
COUNT = "+callbacks.count={_target_: tests.backends.distributed.exchanges.CountExchanges, file: %s}"

pytestmark = pytest.mark.slow


def train(folder: Path, data: Path, *overrides: str) -> Path:
    """Five epochs of four batches; ten test images make a batch of 8 and one of 2, filled up to 8."""
    run = folder / "run"
    done = run_command(
        folder,
        "train",
        f"data.root={data}",
        "trainer.max_epochs=5",
        "trainer.log_every_n_steps=1",
        *overrides,
        "run=run",
    )
    assert done.returncode == 0, done.stderr
    return run


def losses(run: Path, number: int = 0) -> dict[int, float]:
    with (run / "steps" / f"version_{number}" / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["train/loss_step"]]
    return {int(row["step"]): float(row["train/loss_step"]) for row in rows}


def weights(run: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return state


def table(run: Path, name: str) -> list[list[str]]:
    with (run / name).open(newline="") as file:
        return list(csv.reader(file))


def agree(ours: Path, theirs: Path) -> None:
    assert losses(ours) == pytest.approx(losses(theirs), rel=1e-5)
    for name, value in weights(theirs).items():
        if name != "critic.output.bias":  # its gradient is zero, of whose rounding errors Adam makes whole steps
            torch.testing.assert_close(weights(ours)[name], value, rtol=1e-4, atol=1e-5)
    scores, expected = (json.loads((run / "metrics.json").read_text()) for run in (ours, theirs))
    for version in ("restored", "blurred"):
        assert scores[version] == pytest.approx(expected[version], rel=1e-5)
    images, others = table(ours, "per_image.csv"), table(theirs, "per_image.csv")
    assert [row[:2] for row in images] == [row[:2] for row in others]
    assert len(images) == 11
    for row, other in zip(images[1:], others[1:], strict=True):
        assert [float(cell) for cell in row] == pytest.approx([float(cell) for cell in other], rel=1e-4)
    means, others = table(ours, "metrics.csv"), table(theirs, "metrics.csv")
    # the score of the generator's images holds the critic's last bias
    left_out = [place for place, name in enumerate(means[0]) if name in ("seconds", "train/adversarial")]
    assert means[0] == others[0]
    for row, other in zip(means[1:], others[1:], strict=True):
        left, right = ([float(cell) for place, cell in enumerate(one) if place not in left_out] for one in (row, other))
        assert left == pytest.approx(right, rel=1e-4)


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory, tiny_cifar10: Path) -> Path:
    return train(tmp_path_factory.mktemp("one"), tiny_cifar10, *AUTOENCODER)


def test_an_autoencoder_agrees_and_resumes_on_one_and_on_two(
    one_process: Path, tiny_cifar10: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    arguments = (*AUTOENCODER, TWO, f"data.root={tiny_cifar10}", "trainer.max_epochs=5", "trainer.log_every_n_steps=1")
    kill = "+callbacks.kill={_target_: tests.faults.SignalAt, step: 10, number: 9}"
    killed = run_command(folder, "train", *arguments, "callbacks.within_epoch.minutes=0", kill, "run=run")
    assert killed.returncode == 1
    assert "process 1 of 2 was killed by SIGKILL" in killed.stderr
    assert "Traceback" not in killed.stderr
    for devices in (1, 2):
        resumed = tmp_path / f"on{devices}"
        subprocess.run(["cp", "-r", folder, resumed], check=True)
        done = run_command(
            resumed,
            "train",
            "run=run",
            "ckpt_path=last",
            "+callbacks.kill=null",
            f"trainer.devices={devices}",
            "trust=[tests]",
        )
        assert done.returncode == 0, done.stderr
        for name, value in weights(one_process).items():
            torch.testing.assert_close(weights(resumed / "run")[name], value, rtol=1e-4, atol=1e-5)
        ours, theirs = table(resumed / "run", "metrics.csv"), table(one_process, "metrics.csv")
        loss = theirs[0].index("train/loss")
        assert [float(row[loss]) for row in ours[1:]] == pytest.approx(
            [float(row[loss]) for row in theirs[1:]], rel=1e-5
        )


def test_a_whole_run_agrees_and_leaves_the_same_files(one_process: Path, tiny_cifar10: Path, tmp_path: Path) -> None:
    two = train(tmp_path, tiny_cifar10, *AUTOENCODER, TWO, COUNT % (tmp_path / "exchanges"))
    agree(two, one_process)
    # of the gradients, of what is logged, of what to do next; and of one normalisation, forward and backward
    assert (tmp_path / "exchanges").read_text().split() == ["all_reduce"] * 5

    def files(run: Path) -> set[str]:
        return {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}

    assert files(two) == files(one_process)
    log = (two / "run.log").read_text()
    assert log.count("epoch   1/5") == log.count("run folder:") == 1


def test_a_wgan_agrees(tiny_cifar10: Path, tmp_path: Path) -> None:
    found = []
    for devices in (1, 2):
        folder = tmp_path / str(devices)
        folder.mkdir()
        count = COUNT % (folder / "exchanges")
        found.append(train(folder, tiny_cifar10, *WGAN, f"trainer.devices={devices}", count))
    agree(found[1], found[0])
    assert (tmp_path / "1" / "exchanges").read_text() == ""
    # of the gradients of five critic steps and one generator step, of the eight values that are logged, of what to do
    # next; and of one normalisation, forward and backward
    assert (tmp_path / "2" / "exchanges").read_text().split() == ["all_reduce"] * 10


def test_per_core_statistics_are_the_means_of_two_that_do_not_talk(tiny_cifar10: Path, tmp_path: Path) -> None:
    """After one step: a mean over the batch is the mean over its halves, a variance is not."""
    short = ("trainer.limit_train_batches=1", "trainer.max_epochs=1", "trainer.batch_norm=per_core")
    found = []
    for devices in (1, 2):
        folder = tmp_path / str(devices)
        folder.mkdir()
        found.append(weights(train(folder, tiny_cifar10, *AUTOENCODER, f"trainer.devices={devices}", *short)))
    mean, variance = "network.layers.2.running_mean", "network.layers.2.running_var"
    torch.testing.assert_close(found[1][mean], found[0][mean], rtol=1e-5, atol=1e-6)
    assert not torch.allclose(found[1][variance], found[0][variance], rtol=1e-5, atol=0)


def test_a_batch_that_two_cannot_share_is_one_error(tiny_cifar10: Path, tmp_path: Path) -> None:
    done = run_command(
        tmp_path, "train", *AUTOENCODER, TWO, "data.batch_size=7", f"data.root={tiny_cifar10}", "run=run"
    )
    assert done.returncode == 1
    assert done.stderr.count("data.batch_size=7 cannot be split over 2 processes: make it a multiple of 2.") == 1


@pytest.mark.parametrize("number", [pytest.param(2, marks=pytest.mark.exhaustive), 15])
def test_a_signal_ends_both_with_a_checkpoint(number: int, tiny_cifar10: Path, tmp_path: Path) -> None:
    """The signal comes to the command, which trains nothing itself."""
    sender = f"+callbacks.kill={{_target_: tests.backends.distributed.ask_parent.AskParent, step: 6, number: {number}}}"
    done = run_command(
        tmp_path, "train", *AUTOENCODER, TWO, f"data.root={tiny_cifar10}", "trainer.max_epochs=500", sender, "run=run"
    )
    assert done.returncode == 128 + number, done.stderr
    assert done.stderr.count("run=run ckpt_path=last trust=[tests] continues from the last checkpoint") == 1
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()


def test_sums_over_processes_can_be_differentiated_twice(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.backends.distributed.reductions", str(tmp_path)]
    both = [
        subprocess.Popen([*command, str(rank)], env=environment(), stdout=subprocess.PIPE, text=True) for rank in (0, 1)
    ]
    for process in both:
        printed, _ = process.communicate(timeout=HANG_SECONDS)
        found = json.loads(printed.splitlines()[-1])
        assert max(found.values()) < 1e-12, found
