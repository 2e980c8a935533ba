"""Whole commands from the command line to their end, with one random override each: a result, or one message."""

import importlib
import os
import random
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf
from PIL import Image

from deblurlab.app import build
from deblurlab.run import weights
from tests.app.test_random_settings import VALUES, keys_of
from tests.composing import configuration
from tests.conftest import ROOT, write_tiny_cifar10
from tests.converting.written import write as write_keras
from tests.faults.counting import Campaign
from tests.pictures import picture, write_reds

# What a user mistypes beside a wrong value: paths (nobody may write in /proc), formats, words with signs of Hydra's and
# of the shell's.
_WORDS = (
    "nowhere",
    "/proc",
    ".",
    "~",
    "mine.safetensors",
    "hf://a/b",
    "gs:",
    "stablehlo",
    "png",
    "cpu",
    "a b",
    "a=b",
    "$x",
)
# What has no default, and what chooses the groups whose keys are tried.
_NEEDED = {
    "prepare": ["run=run"],
    "convert": ["model=unet16"],
    "evaluate": ["weights=mine.safetensors", "data=cifar10"],
}


def prepared(folder: Path) -> dict[str, Sequence[str]]:
    """Make small inputs in ``folder``, and tell the commands that take them."""
    network = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}
    torch.manual_seed(0)
    weights.save(build.instantiated(network), network, folder / "mine.safetensors")
    Image.fromarray(picture(0, 24, 32)).save(folder / "picture.png")
    write_reds(folder / "reds", sequences=2, frames=1, test_sequences=1)
    write_tiny_cifar10(folder / "cifar10")
    shutil.copytree(ROOT / "tests/run/earlier_run", folder / "earlier_run")
    mine = "weights=mine.safetensors"
    data = ("data=cifar10", "data.root=cifar10", "data.batch_size=2")
    commands = {
        "restore": (mine, "input=picture.png", "trainer=cpu", "existing=overwrite"),
        "demo": (mine, "trainer=cpu"),
        "export": (mine, "format=torch_export"),
        "prepare": ("data.root=reds", "data.size=[18,32]", "out=shards", "run=log"),
        "report": ("runs=earlier_run", "images=1", "output=report"),
        "plan": ("topology=nowhere", "model.network.widths=[4,8]"),
        "evaluate": (mine, *data, "trainer=cpu", "trainer.limit_test_batches=1", "output=scores"),
    }
    if find_spec("h5py"):
        write_keras(folder / "unet.h5", "unet16")
        commands["convert"] = ("input=unet.h5", "model=unet16")
    return commands


def run(command: str, arguments: Sequence[str], seed: int, cases: int, folder: Path) -> Campaign:
    """Run a command with ``arguments`` and one random override each time."""
    campaign, draw = Campaign(f"random overrides of {command}", seed), random.Random(seed)
    cfg = configuration(command, *_NEEDED.get(command, []))
    content = OmegaConf.to_container(cfg)
    assert isinstance(content, Mapping)
    keys = list(keys_of(content))
    with chdir(folder), patch.dict(os.environ, HOME=str(folder)):  # ~ is a word, too
        for number in range(cases):
            key, value = draw.choice(keys), draw.choice((*VALUES, *_WORDS))
            override = f"{key}={value}".replace("None", "null").replace("'", "")
            campaign.judge(
                lambda override=override: _call(command, *arguments, override),
                f"case {number}: {override}",
                key=key,
            )
    return campaign


def _call(command: str, *overrides: str) -> bool:
    argv = patch.object(sys, "argv", [command, *overrides])
    served = patch("uvicorn.run", lambda *_, **__: None)  # demo would serve its page for good
    with argv, served, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        try:
            importlib.import_module(f"deblurlab.{command}").main()
        finally:
            HydraConfig.instance().cfg = None  # Hydra leaves it to whatever comes next
    return True
