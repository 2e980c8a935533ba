"""Files of strangers: they delete nothing, run nothing, eat no memory, and damaged ones are named in one line."""

import copy
import json
import re
import shutil
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from omegaconf import OmegaConf
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from deblurlab.app import build
from deblurlab.restoring import load_restorer
from deblurlab.run import saved_run, trusted, weights
from deblurlab.run.checkpoint import AtomicCheckpointIO
from deblurlab.run.names import CONF
from deblurlab.run.saved_yaml import read_yaml
from deblurlab.run.sketch import sketch
from tests.composing import configuration
from tests.conftest import Call, run_command

Changed = Callable[[dict[str, Any]], Any]
SMALL = (
    "model=unet16",
    "model.network.widths=[4,8]",
    "data=cifar10",
    "data.batch_size=8",
    "trainer=cpu",
    "logger=none",
)


def arguments(root: Path, epochs: int) -> tuple[str, ...]:
    few = ("trainer.limit_train_batches=2", "callbacks.panel=null", "trainer.precision=32-true")
    return (*SMALL, f"data.root={root}", f"trainer.max_epochs={epochs}", *few)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_cifar10: Path) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    done = run_command(folder, "train", *arguments(tiny_cifar10, 1), "run=run")
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A run of one epoch, to be tampered with."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    folder = tmp_path / "victim"
    folder.mkdir()
    (folder / "thesis.ckpt").write_text("years of work")
    return folder


@pytest.fixture
def refused(call: Call) -> Callable[..., str]:
    """Run a command that must end in one line, and return it."""

    def refuse(name: str, *overrides: str) -> str:
        with pytest.raises(SystemExit) as ended:
            call(name, *overrides)
        message, _, hint = str(ended.value).partition("\n")
        assert hint == "(HYDRA_FULL_ERROR=1 shows where.)"
        return message

    return refuse


def tampered(file: Path, change: Changed) -> None:
    checkpoint = torch.load(file, weights_only=True)
    changed = change(checkpoint)
    torch.save(checkpoint if changed is None else changed, file)


def naming(target: str, *, nested: bool = False, version: str | None = None) -> Changed:
    """Let every state of ModelCheckpoint name ``target`` as the file that the next better one replaces."""

    def change(checkpoint: dict[str, Any]) -> None:
        evil = dict.fromkeys(("best_model_path", "kth_best_model_path", "last_model_path"), target)
        evil |= {"best_k_models": {target: torch.tensor(-9.0)}}
        evil |= {name: torch.tensor(-9.0) for name in ("best_model_score", "kth_value", "current_score")}
        for key in list(checkpoint["callbacks"]):
            if "ModelCheckpoint" in key:
                checkpoint["callbacks"][key] = {**evil, "deeper": [copy.deepcopy(evil)]} if nested else dict(evil)
        if version:
            checkpoint["pytorch-lightning_version"] = version
            checkpoint["checkpoint_callback_best_model_path"] = target
            checkpoint["checkpoint_callback_best"] = torch.tensor(-9.0)

    return change


# A path that only looks as if it were in the run, an absolute one, a relative one, a folder, and fsspec's names
TARGETS = (
    "{run}/checkpoints/../../victim/thesis.ckpt",
    "{victim}/thesis.ckpt",
    "victim/thesis.ckpt",
    "{run}/checkpoints/../../victim",
    "local://{victim}",
    "file://{victim}/thesis.ckpt",
    "{run}/checkpoints/..",
    "..",
)


@pytest.mark.parametrize("target", TARGETS)
def test_a_resumed_run_removes_nothing_that_its_checkpoint_names(
    target: str, run: Path, victim: Path, call: Call, tiny_cifar10: Path
) -> None:
    """A better score comes in the second epoch: the one in the checkpoint is -9."""
    tampered(run / "checkpoints/last.ckpt", naming(target.format(run=run, victim=victim)))
    before = (run / "checkpoints/best.ckpt").read_bytes()
    call("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")
    assert (victim / "thesis.ckpt").read_text() == "years of work"
    assert (run / ".hydra/config.yaml").is_file()
    assert (run / "checkpoints/best.ckpt").read_bytes() != before


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_nor_does_a_new_run(target: str, run: Path, victim: Path, call: Call, tiny_cifar10: Path) -> None:
    stranger = run.with_name("stranger.ckpt")
    (run / "checkpoints/last.ckpt").rename(stranger)
    tampered(stranger, naming(target.format(run=run, victim=victim)))
    old = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    call("train", *arguments(tiny_cifar10, 2), "run=new", f"ckpt_path={stranger}")
    assert (victim / "thesis.ckpt").read_text() == "years of work"
    assert {path: path.read_bytes() for path in old} == old
    assert stranger.is_file()
    assert (run.with_name("new") / "checkpoints/best.ckpt").is_file()


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_a_new_run_leaves_the_old_one_as_it_was(run: Path, call: Call, tiny_cifar10: Path) -> None:
    old = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    call("train", *arguments(tiny_cifar10, 2), "run=new", f"ckpt_path={run}/checkpoints/last.ckpt")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == old


def test_an_entry_of_an_old_lightning_is_no_way_in(run: Path, victim: Path, refused: Any, tiny_cifar10: Path) -> None:
    """Lightning would make a state of ModelCheckpoint of it, after everything was looked at."""
    tampered(run / "checkpoints/last.ckpt", naming(str(victim / "thesis.ckpt"), version="0.9.0"))
    message = refused("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")
    assert "last.ckpt is not a checkpoint of deblurlab, or is damaged: it says that Lightning '0.9.0'" in message


def paths(state: Any) -> Iterator[str]:
    """Every text in a state that could be a path, keys included."""
    if isinstance(state, dict):
        for key, value in state.items():
            yield from (key,) if "/" in str(key) or "\\" in str(key) else ()
            yield from paths(value)
    elif isinstance(state, list | tuple):
        for value in state:
            yield from paths(value)
    elif isinstance(state, str) and state:
        yield state


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("target", [*TARGETS, "C:\\victim\\thesis.ckpt", "a.ckpt/../..", 7, None, [1]])
def test_all_that_is_taken_from_a_checkpoint_is_in_its_folder(target: Any, nested: bool, run: Path) -> None:
    file = run / "checkpoints/last.ckpt"
    name = target.format(run=run, victim=run) if isinstance(target, str) else target

    def change(checkpoint: dict[str, Any]) -> None:
        naming("x.ckpt", nested=nested)(checkpoint)
        for state in checkpoint["callbacks"].values():
            if "best_model_path" in state:
                state |= {"best_model_path": name, "other_path": name, "last_model_path": name}

    tampered(file, change)
    callbacks = AtomicCheckpointIO().load_checkpoint(file)["callbacks"]
    states = [state for state in callbacks.values() if "best_model_path" in state]
    assert states
    for state in states:
        assert {Path(path).parent for path in paths(state) if path != state["dirpath"]} <= {file.parent}
        assert not {Path(path).name for path in paths(state)} & {"..", "victim"}
        assert state["dirpath"] == str(file.parent)


def test_fewer_models_than_are_kept_stay(run: Path) -> None:
    file = run / "checkpoints/last.ckpt"
    kept = {f"/elsewhere/{name}.ckpt": torch.tensor(score) for name, score in (("a", 0.5), ("b", 0.7))}

    def change(checkpoint: dict[str, Any]) -> None:
        state = next(state for state in checkpoint["callbacks"].values() if "best_k_models" in state)
        state |= {"best_k_models": kept, "kth_best_model_path": "", "best_model_path": "/elsewhere/b.ckpt"}

    tampered(file, change)
    state = next(
        state for state in AtomicCheckpointIO().load_checkpoint(file)["callbacks"].values() if "best_k_models" in state
    )
    assert state["best_k_models"] == {str(file.parent / Path(name).name): score for name, score in kept.items()}
    assert state["best_model_path"] == str(file.parent / "b.ckpt")
    callback = ModelCheckpoint(dirpath=file.parent, monitor="val/ssim", mode="max", save_top_k=3)
    callback.load_state_dict(state)
    assert callback.best_k_models == state["best_k_models"]


def test_only_checkpoints_that_were_written_are_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The second wall, for states that no one has thought of."""
    checkpoints = AtomicCheckpointIO()
    own, other = tmp_path / "run/checkpoints", tmp_path / "other"
    for name in ("best.ckpt", "last.ckpt"):
        checkpoints.save_checkpoint({"x": 1}, own / name)
    (own / "folder.ckpt").mkdir()
    other.mkdir()
    for file in (other / "mine.ckpt", own / "notes.txt"):
        file.write_text("mine")
    for spared in (
        other / "mine.ckpt",
        other,
        own,
        own / "notes.txt",
        own / "folder.ckpt",
        own / "../../other/mine.ckpt",
    ):
        checkpoints.remove_checkpoint(spared)
        assert spared.exists()
        assert "it is not removed" in caplog.text
        caplog.clear()
    checkpoints.remove_checkpoint(f"local://{other}")
    assert (other / "mine.ckpt").exists()
    checkpoints.remove_checkpoint(own / "best.ckpt")
    assert sorted(file.name for file in own.iterdir()) == ["folder.ckpt", "last.ckpt", "notes.txt"]


def test_so_it_is_on_xla(tmp_path: Path) -> None:
    pytest.importorskip("torch_xla", reason="torch_xla is not installed")
    from deblurlab.backends.xla.checkpoint_io import AtomicXLACheckpointIO

    checkpoints = AtomicXLACheckpointIO()
    (tmp_path / "mine.ckpt").write_text("mine")
    checkpoints.remove_checkpoint(tmp_path / "mine.ckpt")
    assert (tmp_path / "mine.ckpt").exists()


def odd(key: str, value: Any) -> Changed:
    return lambda checkpoint: checkpoint.update({key: value})


ODD: dict[str, Changed] = {
    "a list of weights": odd("state_dict", [1, 2]),
    "weights without names": odd("state_dict", {3: torch.zeros(1)}),
    "weights that are no tensors": odd("state_dict", {"network.x": "y"}),
    "callbacks as a list": odd("callbacks", [1]),
    "callbacks without names": odd("callbacks", {1: {}}),
    "no version": lambda checkpoint: checkpoint.pop("pytorch-lightning_version") and None,
    "a version that is no text": odd("pytorch-lightning_version", [2]),
    "a list": lambda checkpoint: [1, 2],
    "a tensor": lambda checkpoint: torch.zeros(3),
}
ODD_TO_RESUME: dict[str, Changed] = {
    "no loops": odd("loops", {}),
    "loops as a list": odd("loops", [1]),
    "no optimizers": lambda checkpoint: checkpoint.pop("optimizer_states") and None,
    "optimizers as text": odd("optimizer_states", "x"),
    "optimizers of nothing": odd("optimizer_states", [{}]),
    "no schedulers": lambda checkpoint: checkpoint.pop("lr_schedulers", 1) and None,
    "callbacks of text": lambda checkpoint: checkpoint.update(callbacks=dict.fromkeys(checkpoint["callbacks"], "x")),
    "callbacks without keys": lambda checkpoint: checkpoint.update(
        callbacks={key: {"best_model_path": ""} for key in checkpoint["callbacks"]}
    ),
    "scores of text": lambda checkpoint: (
        [state.update(kth_value="x") for state in checkpoint["callbacks"].values()] and None
    ),
}


@pytest.mark.parametrize("change", [*ODD, *ODD_TO_RESUME])
def test_odd_checkpoints_are_not_resumed(change: str, run: Path, refused: Any, tiny_cifar10: Path) -> None:
    tampered(run / "checkpoints/last.ckpt", (ODD | ODD_TO_RESUME)[change])
    message = refused("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")
    assert "run/checkpoints/last.ckpt" in message
    assert "is not a checkpoint of deblurlab" in message or "cannot be resumed" in message


def test_a_checkpoint_without_callbacks_is_resumed(run: Path, call: Call, tiny_cifar10: Path) -> None:
    tampered(run / "checkpoints/last.ckpt", lambda checkpoint: checkpoint.pop("callbacks") and None)
    call("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")


@pytest.mark.parametrize("change", ODD)
def test_odd_checkpoints_are_no_weights(change: str, run: Path) -> None:
    tampered(run / "checkpoints/best.ckpt", ODD[change])
    with pytest.raises(ValueError, match=r"best\.ckpt is not a checkpoint of deblurlab"):
        weights.load(str(run))


def set_config(run: Path, key: str, value: Any) -> None:
    config = OmegaConf.load(run / ".hydra/config.yaml")
    OmegaConf.update(config, key, value, force_add=True, merge=False)
    OmegaConf.save(config, run / ".hydra/config.yaml")


MARK = "__import__('pathlib').Path('executed').touch()"
EVIL: list[tuple[str, Any]] = [
    ("model.network", {"_target_": "sympy.sympify", "a": MARK}),
    ("model.network", {"_target_": "torch.load", "f": "x.pt", "weights_only": False}),
    ("model.network", {"_target_": "torch.hub.load", "repo_or_dir": ".", "source": "local", "model": "x"}),
    ("model.network", {"_target_": "deblurlab.run.weights_file.write", "state": {}, "network": {}, "file": "executed"}),
    ("model.network", {"_target_": "deblurlab.nets.unet16.torch.load", "f": "x.pt"}),
    ("model.network", {"_target_": "deblurlab.nets.unet16._double_conv", "i": 1, "o": 1}),
    ("model.network", {"_target_": "torchvision.models.resnet18"}),
    ("model.network", {"_target_": "torch.nn.Module.load_state_dict"}),
    ("model.network", {"_target_": "stranger.Network"}),
    ("model.network", {"_target_": "builtins.exec", "_args_": [MARK]}),
    ("model.network", {"_target_": "lightning.pytorch.Trainer"}),
    ("model.network", {"_target_": ["os.system"]}),
    ("model.network", {"_target_": "deblurlab.nets.UNet16", "_args_": [{"_target_": "sympy.sympify", "a": MARK}]}),
    ("model.network.widths", [4, {"deep": [{"_target_": "sympy.sympify", "a": MARK, "_partial_": True}]}]),
    ("model.loss", {"_target_": "sympy.sympify", "a": MARK}),
    ("model.optimizer", {"_target_": "torch.optim.lr_scheduler.warnings.warn", "_partial_": True}),
    ("model._target_", "torch.nn.Linear"),
    ("data._target_", "sympy.sympify"),
    ("data.layout", {"_target_": "stranger.Layout"}),
    ("callbacks.more", {"_target_": "stranger.Callback"}),
    ("model.network.widths", "${oc.env:HOME}"),
    ("seed", "${oc.env:HOME}"),
    ("data.${oc.env:HOME}", 1),
    ("_target_", "deblurlab.tasks.schedules.warmup_cosine"),
    ("_target_", "lightning.pytorch.Trainer"),
]


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules that tell when they are imported."""
    (tmp_path / "stranger.py").write_text(MARK)
    monkeypatch.syspath_prepend(str(tmp_path))
    Image.fromarray(np.zeros((16, 16, 3), dtype=np.uint8)).save(tmp_path / "photo.png")


def set_evil(run: Path, key: str, value: Any) -> None:
    if "$" in key:
        file = run / ".hydra/config.yaml"
        file.write_text(file.read_text() + "${oc.env:HOME}: 1\n")
    else:
        set_config(run, key, value)


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize(("key", "value"), EVIL)
def test_a_run_s_folder_runs_nothing(key: str, value: Any, run: Path, call: Call) -> None:
    """Neither where its network is built, nor where its task is."""
    set_evil(run, key, value)
    config, checkpoint = run / ".hydra/config.yaml", run / "checkpoints/best.ckpt"
    message = rf"{config}: [\w.]+ names|{config} is not as a run writes it: .* would be looked up elsewhere"
    with pytest.raises(ValueError, match=message):
        load_restorer(run)
    with pytest.raises(ValueError, match=message):
        build.trained(saved_run.load_run(str(run)).config, checkpoint, trust=(), source=config)
    assert not (run.parent / "executed").exists()
    assert "stranger" not in sys.modules


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize(("key", "value"), [EVIL[0], EVIL[8], EVIL[17], EVIL[20]])
def test_nor_in_any_command(key: str, value: Any, run: Path, refused: Any, call: Call) -> None:
    set_evil(run, key, value)
    commands = [
        ("restore", "input=photo.png", "weights=run"),
        ("restore", "input=photo.png", "weights=run/checkpoints/last.ckpt"),
        ("export", "weights=run", "format=torch_export"),
        ("demo", "weights=run"),
        ("evaluate", "run=run"),
        ("evaluate", "weights=run", "data=sample"),
    ]
    for command in commands:
        message = refused(*command)
        assert "run/.hydra/config.yaml" in message, command
        assert "names" in message or "would be looked up elsewhere" in message, command
    if "${" in f"{key}{value}":
        assert "would be looked up elsewhere" in refused("report", "runs=run")
    else:
        call("report", "runs=run")
        assert f"{key.removesuffix('._target_')} names" in (run.parent / "outputs/report/report.md").read_text()
    assert not (run.parent / "executed").exists()
    assert "stranger" not in sys.modules


@pytest.mark.usefixtures("stranger")
def test_a_report_shows_the_others(run: Path, call: Call) -> None:
    """Of a run that is refused, scores and curves are there, and the reason why its pictures are not."""
    shutil.copytree(run, run.with_name("evil"))
    set_config(run.with_name("evil"), "model.network", {"_target_": "stranger.Network"})
    call("report", "runs=[evil,run]", "output=report")
    text = (run.parent / "report/report.md").read_text()
    assert "evil/.hydra/config.yaml: model.network names stranger.Network" in text
    assert "Not drawn" not in text
    assert not (run.parent / "executed").exists()


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("runs", ["evil*", "[evil*,run]"])
def test_a_report_gives_one_reason_against_many_runs_once(
    runs: str, run: Path, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    for width in (1, 2, 3):
        shutil.copytree(run, evil := run.with_name(f"evil{width}"))
        set_config(evil, "model.network", {"_target_": "stranger.Network", "width": width})
    call("report", f"runs={runs}", "output=report")
    for said in ((run.parent / "report/report.md").read_text(), capsys.readouterr().err):
        assert said.count("names stranger.Network") == 1
        assert re.search(r"3 runs, such as .*evil./\.hydra/config\.yaml: model\.network names stranger\.Network", said)


OWN = """
from torch import nn


class TinyNet(nn.Conv2d):
    def __init__(self) -> None:
        super().__init__(3, 3, 1)
"""


def test_a_package_of_ones_own_by_naming_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call, refused: Any, tiny_cifar10: Path
) -> None:
    """What trains it needs no word."""
    (tmp_path / "mynet.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    told = [one for one in arguments(tiny_cifar10, 1) if "widths" not in one]
    call("train", *told, "model.network._target_=mynet.TinyNet", "run=run")
    call("train", *told, "model.network._target_=mynet.TinyNet", "run=again", "weights=run")
    assert (
        "model.network names mynet.TinyNet, which is not of deblurlab, torch, torchvision, lightning, torchmetrics or "
        "kornia: if you trust this folder, add trust=[mynet]."
    ) in refused("evaluate", "run=run")
    call("evaluate", "run=run", "trust=[mynet]")
    call("export", "weights=run", "trust=[mynet]", "format=torch_export")
    assert "trust takes packages of your own" in refused("evaluate", "run=run", "trust=[os]")
    assert "trust must be a list" in refused("evaluate", "run=run", "trust=mynet")


def test_a_score_of_ones_own_by_naming_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call, refused: Any, tiny_cifar10: Path
) -> None:
    """A resumed run imports what its settings name as scores only if the command line names it, too, or trusts it."""
    (tmp_path / "mine.py").write_text(
        "def worst(restored, sharp):\n    return (restored - sharp).abs().amax((1, 2, 3))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    told = arguments(tiny_cifar10, 1)
    call("train", *told, "metrics=[mine.worst]", "run=run")
    scores = json.loads(Path("run/metrics.json").read_text())
    assert 0 < scores["restored"]["worst"] < 1
    assert "restored_worst" in Path("run/per_image.csv").read_text()
    monkeypatch.delitem(sys.modules, "mine")
    (tmp_path / "mine.py").write_text("raise ImportError('executed')")
    again = ("run=run", "ckpt_path=last", "trainer.max_epochs=2")
    assert (
        "run/.hydra/config.yaml: metrics names mine.worst, which is not a score of deblurlab: if you trust this "
        "folder, add trust=[mine]; metrics=[] continues without it."
    ) in refused("train", *again)
    assert "metrics=[mine.worst] cannot be imported" in refused("train", *again, "trust=[mine]")
    assert "metrics=[mine.worst] cannot be imported" in refused("train", *again, "metrics=[mine.worst]")
    call("train", *again, "metrics=[]")
    assert "worst" not in json.loads(Path("run/metrics.json").read_text())["restored"]


def test_all_that_deblurlab_itself_writes_is_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    groups = {group: sorted(file.stem for file in (CONF / group).glob("*.yaml")) for group in ("model", "data")}
    choices = [f"{group}={name}" for group, names in groups.items() for name in names]
    choices += [f"experiment={file.stem}" for file in sorted((CONF / "experiment").glob("*.yaml"))]
    choices += [f"logger={file.stem}" for file in sorted((CONF / "logger").glob("*.yaml")) if file.stem != "wandb"]
    for choice in choices:
        config = configuration("train", "run=run", "callbacks=[default,ema]", choice)
        trusted.check(config, trust=(), source=choice)


def check_model(target: str) -> None:
    trusted.check({"model": {"x": {"_target_": target}}}, trust=(), source="file")


@pytest.mark.parametrize(
    "target",
    [
        "torch.nn.Conv2d",
        "torch.nn.L1Loss",
        "torch.optim.AdamW",
        "torch.optim.lr_scheduler.CosineAnnealingLR",
        "torchvision.models.ResNet",
        "torchmetrics.image.StructuralSimilarityIndexMeasure",
        "kornia.losses.SSIMLoss",
        "deblurlab.nets.MSDeblur",
        "deblurlab.tasks.schedules.constant_then_exponential",
    ],
)
def test_what_a_model_is_made_of_is_allowed(target: str) -> None:
    check_model(target)


@pytest.mark.parametrize(
    "target", ["", "x", "torch", "torch.nn._x.Y", "torch..nn", "torch.nn.Ünet", "torch.nn.Conv2d\n"]
)
def test_names_that_are_none(target: str) -> None:
    with pytest.raises(trusted.UntrustedError):
        check_model(target)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    config = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}
    weights.save(build.instantiated(config), config, tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def claiming(file: Path, network: str) -> None:
    save_file(load_file(file), file, {"format": "deblurlab 1", "network": network})


HUGE = [
    {"_target_": "deblurlab.nets.MSDeblur", "blocks": 100_000},
    {"_target_": "deblurlab.nets.MSDeblur", "blocks": 10**15},
    {"_target_": "deblurlab.nets.UNet16", "widths": [4] * 5000},
    {"_target_": "deblurlab.nets.UNet16", "widths": [2**20, 2**20]},
    {"_target_": "deblurlab.nets.UNet16", "widths": [2**40, 2**40]},
]


def few_modules(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the modules that are made."""
    count, make = [0], nn.Module.__init__

    def counted(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        count[0] += 1
        make(self, *args, **kwargs)

    monkeypatch.setattr(nn.Module, "__init__", counted)
    return count


@pytest.mark.parametrize("network", HUGE)
def test_a_weights_file_cannot_ask_for_more_than_it_holds(
    network: dict[str, Any], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after a thousand modules, whatever the file asks for; no number of theirs takes memory."""
    claiming(file, json.dumps(network))
    count = few_modules(monkeypatch)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"far larger than the \d+ tensors|are of another network|cannot be built"):
        load_restorer(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count[0] < 2000
    assert peak < 2**25


def test_nor_can_a_run(run: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_config(run, "model.network", {"_target_": "deblurlab.nets.MSDeblur", "blocks": 100_000})
    Image.fromarray(np.zeros((16, 16, 3), dtype=np.uint8)).save(run.with_name("photo.png"))
    count = few_modules(monkeypatch)
    for command in (("evaluate", "run=run"), ("restore", "input=photo.png", "weights=run")):
        assert "the network that is asked for is far larger than the" in refused(*command)
    assert count[0] < 4000


def test_the_sketch_is_of_the_network_s_shapes(file: Path) -> None:
    chosen = weights.load(str(file))
    drawn = sketch(lambda: build.instantiated(chosen.network), tensors=len(chosen.shapes))
    assert {value.device.type for value in drawn.state_dict().values()} == {"meta"}
    weights.require_fit(drawn, chosen)
    assert "state" not in vars(chosen)  # nothing was read for it
    assert nn.Linear(1, 1).weight.device.type == "cpu"


def test_numbers_that_a_constructor_needs_are_drawn_for_a_sketch() -> None:
    """Such as those of a table that a network of the user's computes on the CPU."""
    assert sketch(lambda: torch.zeros(8, device="cpu").normal_(), tensors=1).all()


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("[" * 200_000, "does not say which network it is of"),
        ('{"a":' * 50_000, "does not say which network it is of"),
        (json.dumps({"_target_": "deblurlab.nets.UNet16", "widths": [4] * 400_000}), "its header alone has"),
        ("7" * 5000, "does not say which network it is of"),
        ("null", "is not of a network of deblurlab.nets"),
    ],
)
def test_metadata_that_is_too_much(network: str, message: str, file: Path) -> None:
    claiming(file, network)
    with pytest.raises(ValueError, match=r"mine\.safetensors") as error:
        weights.load(str(file))
    assert message in str(error.value)
    assert len(str(error.value)) < 1000


def test_weights_that_start_a_training_may_say_odd_arguments() -> None:
    network = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}
    assert not weights.same_network(network | {"depth": 3}, network)


LAUGHS = "a: &a [x, x]\n" + "\n".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)
DAMAGED: dict[str, tuple[bytes, str]] = {
    "a tag that builds": (b"model: !!python/object/apply:os.system [touch executed]", "it has a tag"),
    "a tag": (b"model: !mine {}\n", "it has a tag"),
    "a path's tag": (b"model: !!python/object/apply:pathlib.Path [x]\n", "it has a tag"),
    "nothing": (b"", "model is missing"),
    "a list": (b"- 1\n- 2\n", "it holds no configuration"),
    "text": (b"hello", "is damaged"),
    "binary": (np.random.default_rng(0).bytes(2000), "is damaged"),
    "zeros": (bytes(2000), "is damaged"),
    "not UTF-8": ("model: é".encode("latin-1"), "is damaged"),
    "missing keys": (b"model: {}\ndata: {}\n", "trainer is missing"),
    "other kinds": (b"model: 3\ndata: {}\ntrainer: {}\n", "model is missing"),
    "laughs": (LAUGHS.encode(), "it has an alias"),
    "depth": (b"model: " + b"[" * 50_000, "is damaged"),
    "closed depth": (b"model: " + b"[" * 500 + b"]" * 500, "it is too deep"),
    "length": (b"model: [" + b"1," * 60_000 + b"]", "too long"),
    "size": (b"model: " + b"x" * 300_000, "it is larger than"),
    "a twin": (b"model: {}\nmodel: {}\n", "duplicate key"),
    "a key of a list": (b"? [1, 2]\n: 3\n", "is damaged"),
    "cut": (b"model: {a: [1, 2", "is damaged"),
    "interpolations that are none": (b"model: {a: '${'}\ndata: {}\ntrainer: {}\n", "is damaged"),
    "a huge number": (b"model: " + b"9" * 5000, "is damaged"),
    "two documents": (b"model: {}\n---\nmodel: {}\n", "is damaged"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_configuration_is_named(name: str, run: Path) -> None:
    content, message = DAMAGED[name]
    (run / ".hydra/config.yaml").write_bytes(content)
    for read in (saved_run.load_run, weights.load):
        with pytest.raises(ValueError, match=r"run/\.hydra/config\.yaml is damaged: ") as error:
            read(str(run))
        assert message in str(error.value)
        assert len(str(error.value).splitlines()) == 1
    assert not (run.parent / "executed").exists()


@pytest.mark.parametrize("name", ["a tag that builds", "nothing", "laughs"])
def test_every_command_names_it(name: str, run: Path, refused: Any, tiny_cifar10: Path) -> None:
    (run / ".hydra/config.yaml").write_bytes(DAMAGED[name][0])
    resumed = ("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last")
    for command in (("evaluate", "run=run"), ("report", "runs=run"), ("export", "weights=run"), resumed):
        assert "run/.hydra/config.yaml is damaged" in refused(*command)


@pytest.mark.parametrize("name", [name for name in DAMAGED if "keys" not in name and "kinds" not in name])
def test_hydra_yaml_likewise(name: str, run: Path) -> None:
    (run / ".hydra/hydra.yaml").write_bytes(DAMAGED[name][0])
    with pytest.raises(ValueError, match=r"run/\.hydra/hydra\.yaml is damaged: "):
        saved_run.load_run(str(run))


@pytest.mark.parametrize("data", ["../../../victim", "/victim", "..", "a/../b", "${oc.env:HOME}", "", 3, None])
def test_a_run_s_data_is_no_way_out_of_its_folder(data: Any, run: Path) -> None:
    file = run / ".hydra/hydra.yaml"
    settings = OmegaConf.load(file)
    settings.hydra.runtime.choices.data = data
    OmegaConf.save(settings, file)
    with pytest.raises(ValueError, match=r"hydra\.yaml is damaged: hydra\.runtime\.choices\.data is not a name"):
        saved_run.load_run(str(run))


def test_a_missing_hydra_yaml(run: Path, refused: Any) -> None:
    (run / ".hydra/hydra.yaml").unlink()
    assert "run/.hydra/hydra.yaml" in refused("evaluate", "run=run")


@pytest.mark.parametrize("content", [b"", b"a: 1", b"- &a 1\n- *a\n", b"\xff\xfe"])
def test_damaged_overrides_do_not_hide_what_differs(
    content: bytes, run: Path, refused: Any, tiny_cifar10: Path
) -> None:
    (run / ".hydra/overrides.yaml").write_bytes(content)
    message = refused("train", *arguments(tiny_cifar10, 2), "run=run", "ckpt_path=last", "seed=5")
    assert "run/.hydra/config.yaml has seed=0, not 5" in message or "overrides.yaml is damaged" in message


def test_a_run_s_own_files_are_read(trained: Path) -> None:
    for name in ("config", "hydra", "overrides"):
        file = trained / ".hydra" / f"{name}.yaml"
        assert read_yaml(file) == OmegaConf.load(file)
    assert saved_run.load_run(str(trained)).model == "unet16"


@pytest.mark.parametrize("name", ["metrics.json", "metrics.csv", "per_image.csv"])
@pytest.mark.parametrize("content", [b"", b"[]", b'{"restored": 3}', b"epoch,a\n1,x\n", b"a\n1,2,3\n", b"\xff\xfe\x00"])
def test_a_report_names_damaged_scores(name: str, content: bytes, run: Path, call: Call) -> None:
    """Or makes do with what there is."""
    (run / name).write_bytes(content)
    try:
        call("report", "runs=run")
    except SystemExit as error:
        assert f"run/{name} is damaged" in str(error)  # noqa: PT017
