"""The settings of a stranger's run: they run nothing, unless the user trusts the package that they name."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deblurlab.app import build
from deblurlab.restoring import load_restorer
from deblurlab.run import saved_run, trusted
from deblurlab.run.names import CONF
from tests.composing import configuration
from tests.conftest import Call
from tests.strangers.conftest import arguments, set_config

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
