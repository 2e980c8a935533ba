"""Whatever a user types ends in one message, never in a traceback: random values for every key of every command."""

import importlib
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from deblurlab.app import build
from deblurlab.app.command_keys import check_keys
from deblurlab.app.user_errors import is_mendable, message
from deblurlab.run.names import CONF
from tests.composing import configuration
from tests.conftest import Call

COMMANDS = sorted(file.stem for file in CONF.glob("*.yaml"))
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 3, 1.5, -0.5, 1e30, 10**23, float("nan"), float("inf")),
    *("abc", "", "???", "no", [], [1], ["a", "b"], [0, 0], {"a": 1}),
)
# Arguments that no file lists.
UNLISTED = (
    *("data.workers", "data.patch", "data.fixed_blur", "model.scheduler", "model.network.widths", "trainer.max_steps"),
    *("trainer.accumulate_grad_batches", "trainer.check_val_every_n_epoch", "trainer.val_check_interval"),
    *("trainer.max_time", "trainer.overfit_batches", "trainer.strategy", "trainer.profiler", "trainer.plugins"),
    *("trainer.deterministic", "trainer.num_nodes", "callbacks.best.save_top_k", "model.optimizer.weight_decay"),
)


def keys_of(value: Any, prefix: str = "") -> Iterator[str]:
    """Every key of nested mappings, as it is written on the command line."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        key = f"{prefix}{name}"
        if key != "hydra":
            yield key
            yield from keys_of(inner, f"{key}.")


def one_message(error: Exception) -> bool:
    text = message(error)
    return is_mendable(error) and text.startswith("error: ") and len(text.splitlines()) <= 3


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., DictConfig]:
    monkeypatch.chdir(tmp_path)
    return configuration


def test_the_settings_of_a_training(composed: Callable[..., DictConfig]) -> None:
    """Everything that a training is made of is built of a random value, or refused in one message."""
    cfg = composed("train", "run=run", "trainer=cpu", "callbacks=[default,ema]", "model.network.widths=[4,8]")
    draw = random.Random(0)
    keys = [*UNLISTED, *keys_of(OmegaConf.to_container(cfg))]
    for key in draw.sample(keys, 45):
        value, changed = draw.choice(VALUES), cfg.copy()
        try:
            OmegaConf.update(changed, key, value, merge=False)
            check_keys(changed, "train")
            build.check_groups(changed)
            build.data(changed)
            build.task(changed).configure_optimizers()
            build.trainer(changed)
        except Exception as error:
            if not one_message(error):
                raise AssertionError(f"{key}={value}") from error


@pytest.mark.parametrize("command", COMMANDS)
def test_the_keys_of_a_command(command: str) -> None:
    """The kinds of the keys beside the groups: 700 values in all, of which each passes or is refused in one message."""
    file = OmegaConf.to_container(OmegaConf.load(CONF / f"{command}.yaml"))
    assert isinstance(file, dict)
    own = {str(key): value for key, value in file.items() if key != "defaults" and not isinstance(value, dict)}
    given = {key: "given" if value == "???" or "${" in str(value) else value for key, value in own.items()}
    passed = 0
    for key in own:
        for value in VALUES:
            try:
                check_keys(OmegaConf.create({**given, key: value}), command)
                passed += 1
            except ValueError as error:
                if not one_message(error) or key not in str(error):
                    raise AssertionError(f"{key}={value}") from error
    assert len(own) <= passed <= len(own) * (len(VALUES) - 3)


@pytest.mark.parametrize(
    ("command", "override", "words"),
    [
        ("train", "callbacks=[1]", "callbacks=[1]: choose one of default, ema, none."),
        ("demo", "trainer=???", "You must specify 'trainer', e.g, trainer=<OPTION> Available options: auto cpu "),
        (
            "demo",
            "trainer.accelerator=???",
            "trainer.accelerator has no value, which ??? stands for: set trainer.accelerator=",
        ),
        ("demo", "trainer=[auto, none_such]", "Could not load 'trainer/none_such'."),
        ("restore", "trainer=.", "Could not find 'trainer/.': trainer=... is one of auto, cpu, gpu, tpu, xla_cpu."),
        ("train", "model=null", "model=null: choose one of "),
        ("train", "model=[]", "model=[]: choose one of "),
        ("train", "data=[]", "data=[]: choose one of "),
        ("train", "~model", "~model: model cannot be removed. Choose model=..., one of "),
        ("evaluate", "~data", "~data: data cannot be removed. Choose data=..., one of "),
        ("demo", "trainer=[]", "trainer=[]: choose one of "),
        ("train", "seed=null", "seed must be a whole number, got null."),
        ("train", "data.workers=abc", 'data.workers must be a whole number, got "abc".'),
        ("train", "data.workers=100000", "data.workers must be a whole number from 0 to 1024, got 100000."),
        ("train", "model.scheduler=abc", 'model.scheduler must be keys with a _target_ or null, got "abc".'),
        ("train", "callbacks.best=3", "callbacks.best must be a mapping or null, got 3."),
        ("train", "trainer.val_check_interval=0", "trainer.val_check_interval must be positive"),
        ("train", "trainer.accumulate_grad_batches=100000000000000000000", "got one of more than 64 bits."),
        ("train", "logger.csv.name=5", "logger.csv.name must be text or null, got 5. Quote it twice: "),
        ("train", "model.optimizer._partial_=[1]", "model.optimizer._partial_ must be true or false, got [1]."),
        ("train", "trainer.overfit_batches=2", "trainer.overfit_batches=2: a run draws new images"),
        ("train", "trainer.precision=64-true", "trainer.precision=64-true: images, weights and scores are float32"),
        ("evaluate", "trainer.limit_test_batches=0", "trainer.limit_test_batches=0 leaves no image to evaluate."),
        ("train", "trainer.limit_train_batches=0", "trainer.limit_train_batches=0 leaves no batch to train on"),
        ("train", "trainer.limit_train_batches=0.0", "trainer.limit_train_batches=0 leaves no batch to train on"),
        ("restore", "tile=abc", 'tile must be a whole number or null, got "abc".'),
        ("restore", "tta=no", 'tta must be true or false, got "no".'),
        ("restore", "overwrite=never", 'overwrite must be true or false, got "never".'),
        ("restore", "overwrite=0", "overwrite must be true or false, got 0."),
        ("restore", "tile=5", "restore needs input=photo.jpg; restore --help says what it takes."),
        ("report", "runs=[1]", "runs must be text or a list, each item text, got [1]."),
        ("demo", "megapixels=big", 'megapixels must be a number, got "big".'),
        ("export", "size=[a,b]", "size must be a list, each item a whole number, got ['a', 'b']."),
        ("prepare", "check=maybe", 'check must be true or false, got "maybe".'),
        ("prepare", "data.layout._target_=abc", "error: data.layout: Expected a callable target, got "),
        ("plan", "batch=0.5", "batch must be a whole number, got 0.5."),
    ],
)
def test_what_a_user_is_told(command: str, override: str, words: str, call: Call) -> None:
    more = {"train": ["run=run"], "evaluate": ["weights=photographs", "data=sample"]}
    with pytest.raises(SystemExit) as ended:
        call(command, override, *more.get(command, []))
    assert words in str(ended.value)


def test_a_folder_may_be_called_2024(composed: Callable[..., DictConfig]) -> None:
    cfg = composed("restore", "input=2024", "output=1.5")
    check_keys(cfg, "restore")
    assert (cfg.input, cfg.output) == ("2024", "1.5")


FEW = ("trainer=cpu", "logger=none", "data.batch_size=4", "callbacks.panel=null", "model.network.widths=[4,8]")
BATCHES = tuple(f"trainer.limit_{stage}_batches=1" for stage in ("train", "val", "test"))
BASE = {
    "train": (*FEW, *BATCHES, "trainer.max_epochs=1", "trainer.precision=32-true"),
    "evaluate": ("weights=photographs", "data=sample", "trainer=cpu", "trainer.limit_test_batches=1"),
    "restore": ("input=nowhere", "trainer=cpu"),
    "convert": ("input=nowhere.h5", "model=unet16"),
    "export": ("weights=nowhere",),
    "prepare": ("data.root=nowhere",),
    "report": ("runs=nowhere",),
    "demo": ("weights=nowhere", "trainer=cpu"),
    "plan": ("topology=nowhere",),
}
# What has no default and is no key of the command itself.
NEEDED = {"train": ["run=run"], "evaluate": ["run=run"], "convert": ["model=unet16"]}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_whole_commands(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands themselves, from the command line to their end, with one random override each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: None)  # demo would serve its page for good
    cfg = configuration(command, *NEEDED.get(command, []))
    keys = [key for key in keys_of(OmegaConf.to_container(cfg)) if key != "trainer.max_epochs"]  # -1 never ends
    draw = random.Random(1)
    for number in range(25):
        key = draw.choice([*keys, *(UNLISTED if command == "train" else ())])
        value = str(draw.choice(VALUES)).replace("None", "null").replace("'", "")
        run = [f"run=run{number}"] if command == "train" else []
        monkeypatch.setattr(sys, "argv", [command, *BASE[command], *run, f"{key}={value}"])
        try:
            importlib.import_module(f"deblurlab.{command}").main()
        except SystemExit:
            pass
        except Exception as error:
            raise AssertionError(f"{command} {key}={value}") from error
        finally:
            HydraConfig.instance().cfg = None
