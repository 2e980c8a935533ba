"""A user's mistake ends in one message that names the file or the key and the fix."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from deblurlab.app.invocation import parse_overrides
from tests.conftest import Call

Refused = Callable[..., str]
FEW = [f"trainer.limit_{stage}_batches=1" for stage in ("train", "val", "test")]


@pytest.fixture
def refused(call: Call) -> Refused:
    """Run a command that must end in a short message, and return the message."""

    def run(name: str, *overrides: str) -> str:
        with pytest.raises(SystemExit) as ended:
            call(name, *overrides)
        message = str(ended.value)
        assert message.startswith("error: ")
        assert "Traceback" not in message
        assert len(message.splitlines()) <= 16, message
        return message

    return run


@pytest.fixture
def own_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Write the module ``own_package.part``, which can then be imported; returns its file."""

    def write(body: str) -> Path:
        file = tmp_path / "own_package" / "part.py"
        file.parent.mkdir()
        (file.parent / "__init__.py").touch()
        file.write_text(f"{body}\n")
        return file

    monkeypatch.syspath_prepend(tmp_path)
    for name in ("own_package", "own_package.part"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return write


def test_a_misspelt_key(refused: Refused) -> None:
    assert "there is no sed to override. Did you mean seed?" in refused("train", "sed=3")
    assert "+modle=resnet16: deblurlab takes no modle. Did you mean model?" in refused("train", "+modle=resnet16")
    assert "+trust=[mynet]: leave out the +" in refused("train", "+trust=[mynet]")


def test_a_key_of_another_command(refused: Refused) -> None:
    message = refused("report", "runs=x", "out=y")  # it is a key of prepare
    assert "there is no out to override. --help lists what there is." in message


def test_a_misspelt_group(refused: Refused) -> None:
    message = refused("train", "model=unet")
    assert "Could not find 'model/unet'" in message
    assert "unet16" in message


def test_an_argument_that_a_class_does_not_have(refused: Refused) -> None:
    message = refused("train", "trainer.max_epoch=3")
    assert (
        "there is no trainer.max_epoch: lightning.pytorch.Trainer does not take it. Did you mean trainer.max_epochs"
        in message
    )
    message = refused("train", "+model.network.foo=3")
    assert (
        "there is no model.network.foo: deblurlab.nets.UNet16 does not take it. It takes model.network.widths"
        in message
    )
    assert "there is no callbacks.bset to override. Did you mean callbacks.best" in refused(
        "train", "callbacks.bset.mode=max"
    )
    assert "there is no model.optimizer.lrr: torch.optim.Adam" in refused(
        "train", "-m", "seed=1,2", "model.optimizer.lrr=1"
    )


def test_a_key_of_an_earlier_version(refused: Refused) -> None:
    message = refused("train", "model=rednet30_wgan", "model.generator_ckpt=mine")
    assert "model.generator_ckpt=mine: this key is now weights=mine." in message


def test_a_plus_before_a_key_that_is_listed(refused: Refused) -> None:
    message = refused("train", "+trainer.max_epochs=3")
    assert "trainer.max_epochs is there already: set it without the +" in message


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.optimizer.lr=abc", 'model.optimizer.lr must be a number, got "abc"'),
        ("trainer.max_epochs=abc", "trainer.max_epochs must be a whole number"),
        ("model.optimizer.lr=-1", "the optimizer cannot be made of its settings: Invalid learning rate: -1"),
        (
            "model.scheduler={_target_: torch.optim.lr_scheduler.StepLR, _partial_: true}",
            "model.scheduler cannot be made of its settings: StepLR.__init__() missing 1 required positional argument",
        ),
        (
            "model.scheduler={_target_: torch.optim.lr_scheduler.ExponentialLR, _partial_: true, gamma: 0.9, foo: 1}",
            "model.scheduler",
        ),
        ("data.batch_size=abc", 'data.batch_size must be a whole number, got "abc"'),
        ("data.batch_size=0", "data.batch_size must be a whole number from 1, got 0"),
        ("monitor=val/sim", "monitor=val/sim: choose one of val/loss, val/ssim, val/psnr"),
        ("trainer.devices=1000", "Choose a number from 1 to"),
        ("weights=nonsense", "there is no such run, file or shipped name"),
        ("data.root=~/x#y", "goes into two pairs of quotes"),
    ],
)
def test_values_that_make_no_sense(override: str, message: str, refused: Refused) -> None:
    assert message in refused("train", "trainer=cpu", "model.network.widths=[4,8]", override)


@pytest.mark.parametrize("value", ["it's (1)", "a'b'#c", 'say "cheese" (2)', "both '\"(3)", "plain (4)"])
def test_the_quotes_that_a_message_suggests_can_be_pasted_into_a_shell(value: str, refused: Refused) -> None:
    message = refused("train", f"data.root={value}")
    pasted = message.splitlines()[0].partition("two pairs of quotes: ")[2]
    (word,) = shlex.split(pasted)
    assert f"data.root: there is no folder {value}" in refused("train", "data=folder", "trainer=cpu", word)


def test_keys_of_a_search_are_no_suggestions_for_those_of_a_training(refused: Refused) -> None:
    for key, meant in (
        ("lr", "model.optimizer.lr"),
        ("batch_size", "data.batch_size"),
        ("epochs", "trainer.max_epochs"),
    ):
        message = refused("train", f"{key}=4")
        assert meant in message
        assert "search." not in message
        assert "hydra." not in message
    assert "Did you mean search.random_trials" in refused("train", "search.random_trails=4")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("import not_there", "cannot be imported: {file}, line 2: ModuleNotFoundError: No module named 'not_there'"),
        ("class Other: pass", "cannot be imported: AttributeError: module 'own_net' has no attribute 'Net'"),
        ("def Net(): raise RuntimeError('mine')", "cannot be made: {file}, line 2: RuntimeError: mine"),
        ("def Net(): return torch.nn.Conv2d(3, 3, 'x')", "cannot be made: {file}, line 2: TypeError: "),
    ],
)
def test_a_mistake_in_a_class_of_ones_own_is_shown_where_it_is(
    body: str, told: str, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own_net.py"
    file.write_text(f"import torch\n{body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_net", raising=False)
    assert f"own_net.Net {told.format(file=file)}" in refused(
        "train", "model.network._target_=own_net.Net", "trainer=cpu"
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("import not_there", "ModuleNotFoundError: No module named 'not_there'"),
        ("from os import not_there", "ImportError: cannot import name 'not_there' from 'os'"),
        ("class Net(:", "SyntaxError: "),
        ("class Other: pass", "AttributeError: module 'own_package.part' has no attribute 'Net'"),
    ],
)
def test_a_mistake_in_a_package_of_ones_own_is_shown_where_it_is(
    body: str, told: str, refused: Refused, own_part: Callable[[str], Path]
) -> None:
    file = own_part(body)
    message = refused("train", "model.network._target_=own_package.part.Net", "trainer=cpu")
    assert "own_package.part.Net cannot be imported: " in message
    assert told in message
    if "import" in body:
        assert f"{file}, line 1: " in message


def test_a_function_that_is_called_in_place_of_handed_on(refused: Refused, own_part: Callable[[str], Path]) -> None:
    own_part("def loss(restored, sharp): return (restored - sharp).abs().flatten(1).mean(dim=1)")
    message = refused("train", "model.loss._target_=own_package.part.loss", "trainer=cpu")
    assert "missing 2 required positional arguments: 'restored' and 'sharp'" in message
    assert "If it is a function of images, as a loss may be, add model.loss._partial_=true" in message


def test_a_callback_without_an_argument_that_it_needs_is_no_function_of_images(refused: Refused) -> None:
    message = refused("train", "callbacks.ema={_target_: deblurlab.callbacks.EMA}", "trainer=cpu")
    assert "deblurlab.callbacks.ema.EMA cannot be made: TypeError" in message
    assert "missing 1 required positional argument: 'decay'" in message
    assert "_partial_" not in message


@pytest.mark.parametrize("key", ["scheduler", "step_scheduler"])
def test_a_schedule_that_is_made_before_its_optimizer(key: str, refused: Refused) -> None:
    message = refused(
        "train", f"model.{key}={{_target_: torch.optim.lr_scheduler.StepLR, step_size: 1}}", "trainer=cpu"
    )
    assert f"The training hands it the optimizer later: add model.{key}._partial_=true" in message


def test_an_import_that_fails_within_the_module_of_a_score(refused: Refused, own_part: Callable[[str], Path]) -> None:
    own_part("import not_there")
    message = refused("evaluate", "weights=cifar10_unet16", "metrics=[own_package.part.score]", "data=sample")
    assert "metrics=[own_package.part.score] cannot be imported: No module named 'not_there'" in message


@pytest.mark.parametrize(
    "words",
    [
        ("train", "model.network._target_=own_nets.Net"),
        ("evaluate", "weights=cifar10_unet16", "metrics=[own_nets.score]"),
    ],
)
def test_a_package_that_python_does_not_find(words: tuple[str, ...], refused: Refused) -> None:
    message = refused(*words, "data=sample", "trainer=cpu")
    assert "cannot be imported: " in message
    assert "No module named 'own_nets'. Install own_nets, or begin the command with PYTHONPATH=FOLDER" in message


def test_a_precision_that_xla_does_not_have(refused: Refused) -> None:
    pytest.importorskip("torch_xla", reason="torch_xla is not installed")
    message = refused("train", "trainer=xla_cpu", "trainer.precision=bf16")
    assert "trainer.precision must be auto, bf16-mixed or 32-true on XLA, got bf16" in message


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU")
def test_no_gpu(refused: Refused) -> None:
    assert "PyTorch finds no GPU here" in refused("train", "trainer=gpu")


def test_missing_data(refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    message = refused("train", "data=cifar10", f"data.root={tmp_path}/nowhere")
    assert f"CIFAR-10 is not in {tmp_path}/nowhere" in message
    assert "data.root" in message


def test_a_damaged_parquet_file(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(b"PAR1 and then nothing")
    message = refused("train", "data=cifar10", f"data.root={tmp_path}")
    assert "train.parquet is not a Parquet file" in message


def test_slurm_where_there_is_none(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "this machine has no srun" in refused("train", "sweep=lr_batch", "hydra/launcher=submitit_slurm")


def test_a_file_where_the_folder_of_a_run_should_be(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert "notes.txt: this is a file, not a folder" in refused("train", "run=notes.txt")


def test_a_run_again_of_what_is_no_run(refused: Refused) -> None:
    assert "rerun=nowhere is not the folder of a run" in refused("train", "rerun=nowhere")


def test_resuming_what_is_not_there(refused: Refused) -> None:
    assert "no run in outputs/sample_unet16 has a checkpoint" in refused("train", "ckpt_path=last")
    assert "there is no checkpoint nowhere.ckpt" in refused("train", "ckpt_path=nowhere.ckpt")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "it ends early"), (b"not a checkpoint", "is not a checkpoint of deblurlab, or is damaged")],
)
def test_a_damaged_checkpoint(refused: Refused, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "damaged.ckpt").write_bytes(content)
    stderr = refused("train", "ckpt_path=damaged.ckpt")
    assert "damaged.ckpt" in stderr
    assert message in stderr
    assert "trusted" not in stderr  # which PyTorch would have the user do


def test_a_checkpoint_that_would_execute_code(refused: Refused, tmp_path: Path) -> None:
    class Exploit:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "executed"),))

    torch.save({"state_dict": Exploit()}, tmp_path / "evil.ckpt")
    assert "evil.ckpt" in refused("train", "ckpt_path=evil.ckpt")
    assert not (tmp_path / "executed").exists()


def test_a_checkpoint_of_another_network(refused: Refused, call: Call) -> None:
    """Of which nothing but the file is left: beside its run, the settings say it."""
    call("train", "run=small", "model.network.widths=[4,8]", "trainer.max_epochs=1", *FEW)
    shutil.copy("small/checkpoints/last.ckpt", "alone.ckpt")
    message = refused("train", "ckpt_path=alone.ckpt")
    assert (
        "the checkpoint is of another network: network.encoder.0.0.weight is 4x3x3x3 there and 16x3x3x3 here" in message
    )


def test_a_checkpoint_of_another_program(refused: Refused, tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "plain.ckpt")
    assert "it holds no run's state" in refused("train", "ckpt_path=plain.ckpt")


def test_a_resumed_run_keeps_its_learning_rate(refused: Refused, call: Call) -> None:
    small = ("run=mine", "model.network.widths=[4,8]", *FEW)
    call("train", *small, "trainer.max_epochs=1")
    message = refused("train", *small, "trainer.max_epochs=2", "model.optimizer.lr=1e-5", "ckpt_path=last")
    assert "mine/.hydra/config.yaml has model.optimizer.lr=0.001, not 1e-05: a resumed run keeps" in message


def test_a_run_is_not_overwritten(refused: Refused, call: Call, tmp_path: Path) -> None:
    call("train", "run=mine", "model.network.widths=[4,8]", "trainer.max_epochs=1", *FEW)
    before = {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*") if path.suffix in (".ckpt", ".yaml")}
    assert "run=mine already holds a run. Resume it with ckpt_path=last" in refused("train", "run=mine")
    assert {path: path.read_bytes() for path in before} == before


def test_the_log_says_why_a_run_ended(refused: Refused, tmp_path: Path) -> None:
    small = ("run=mine", "model.network.widths=[4,8]", *FEW, "trainer.log_every_n_steps=1")
    message = refused("train", *small, "model.optimizer.lr=1e30")
    assert "val/loss = nan" in message
    assert message in (tmp_path / "mine/run.log").read_text()


@pytest.mark.parametrize(
    "mistake", ["trainer.precision=64-true", "weights=cifar10_unet16", "data.batch_size=100000", "data=reds"]
)
def test_a_run_that_has_trained_nothing_leaves_nothing(mistake: str, refused: Refused, tmp_path: Path) -> None:
    refused("train", mistake, "model.network.widths=[4,8]", "run=mine")
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("step", [1, 3], ids=["before the first checkpoint", "after it"])
def test_a_run_s_folder_that_vanishes_is_told(step: int, refused: Refused, tmp_path: Path, tiny_cifar10: Path) -> None:
    """It used to be made anew, without the configuration and the checkpoints, and the run ended well."""
    gone = f"+callbacks.gone={{_target_: tests.faults.Vanish, step: {step}, folder: mine}}"
    data = ("data=cifar10", f"data.root={tiny_cifar10}", "data.batch_size=8", "model.network.widths=[4,8]")
    trainer = ("trainer=cpu", "trainer.max_epochs=2", "trainer.limit_train_batches=2", "callbacks.panel=null")
    message = refused("train", "logger=none", "run=mine", gone, *data, *trainer)
    assert message.startswith(f"error: {tmp_path / 'mine'}: the folder has vanished while it was written to\n")
    assert not (tmp_path / "mine").exists()


def test_two_runs_do_not_share_a_folder(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "mine/.hydra").mkdir(parents=True)
    hold = "import filelock, sys; lock = filelock.FileLock('mine/.hydra/lock'); lock.acquire(); print(1); input()"
    with subprocess.Popen(
        [sys.executable, "-uc", hold], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        assert "run=mine is being written by another process" in refused("train", "run=mine")
        other.kill()


def test_a_checkpoint_is_of_a_run_not_of_weights(refused: Refused) -> None:
    message = refused("evaluate", "weights=photographs", "data=sample", "ckpt_path=last")
    assert "ckpt_path=last is for run=FOLDER" in message


def test_a_misspelt_key_of_a_runs_data(refused: Refused, call: Call, tmp_path: Path) -> None:
    earlier = Path(__file__).parents[1] / "run/earlier_run"
    message = refused(
        "evaluate", f"run={shutil.copytree(earlier, tmp_path / 'run')}", "data.batchsize=4", "trainer=cpu"
    )
    assert (
        "there is no data.batchsize: deblurlab.data.Sample does not take it. Did you mean data.batch_size?" in message
    )


def test_what_hydra_cannot_read_is_quoted_for_a_shell_and_for_hydra(refused: Refused) -> None:
    message = refused("restore", "weights=photographs", "input=it's.jpg")
    (word,) = shlex.split(message.partition("two pairs of quotes: ")[2].splitlines()[0])
    assert parse_overrides([word])[0].value() == "it's.jpg"


def test_one_folder_and_folders_by_data_set_are_two_keys(refused: Refused) -> None:
    message = refused("report", "runs=nowhere", "data.root={reds: here, cifar10: there}")
    assert "data.root is one folder; folders for several data sets are 'roots={reds:here,cifar10:there}'" in message


def test_a_plan_that_cannot_be_written_is_not_made(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    assert "taken: this is a file, not a folder" in refused("plan", "json=taken/plan.json")


def test_evaluating_what_is_not_a_run(refused: Refused, tmp_path: Path) -> None:
    assert "is not the folder of a run" in refused("evaluate", f"run={tmp_path}")
    assert "run" in refused("evaluate")


@pytest.mark.parametrize("subjects", [(), ("run=mine", "weights=photographs", "data=sample"), ("restored=theirs",)])
def test_evaluating_nothing_or_several_things(subjects: tuple[str, ...], refused: Refused, tmp_path: Path) -> None:
    """The message is the same with a folder of one's own to write to."""
    message = refused("evaluate", *subjects)
    assert "run=FOLDER" in message or "without data: choose data=" in message
    assert refused("evaluate", *subjects, "output=scores") == message
    assert not list(tmp_path.iterdir())
