"""A compiled training computes what a plain one does, compiles its step alone, and says what is missing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch._dynamo.utils import counters

from deblurlab.callbacks import CompileNetwork
from tests.conftest import Call

COMPILED = "callbacks.compile={_target_: deblurlab.callbacks.CompileNetwork, backend: aot_eager}"
DATA = ("data=sample", "trainer=cpu", "logger=none", "trainer.precision=32-true", "trainer.max_epochs=2")
LIMITS = tuple(f"trainer.limit_{stage}_batches=3" for stage in ("train", "val", "test"))


def trained(call: Call, run: Path, *overrides: str) -> dict[str, torch.Tensor]:
    torch.compiler.reset()
    counters.clear()
    call("train", *DATA, *LIMITS, f"run={run}", *overrides)
    return load_file(run / "weights.safetensors")


@pytest.mark.parametrize(
    "network",
    [
        ("model=unet16", "model.network.widths=[4,8]", "callbacks=ema"),
        (
            "model=rednet30_wgan",
            "model.network._target_=tests.tasks.test_wgan_gp.Generator",
            "~model.network.tanh",
            "model.critic._target_=tests.tasks.test_wgan_gp.Critic",
        ),
    ],
    ids=["autoencoder", "WGAN"],
)
def test_a_compiled_training_ends_with_the_same_weights(network: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    plain = trained(call, tmp_path / "plain", *network)
    assert counters["stats"]["unique_graphs"] == 0
    compiled = trained(call, tmp_path / "compiled", *network, COMPILED)
    assert counters["stats"]["unique_graphs"] == 2  # the trial's, and that of the step
    assert plain.keys() == compiled.keys()
    for name, weight in plain.items():
        torch.testing.assert_close(compiled[name], weight, rtol=1e-2, atol=1e-4)


def test_after_a_training_that_failed_torch_compile_works_as_before(call: Call, tmp_path: Path) -> None:
    network = ("model=unet16", "model.network.widths=[4,8]", "model.optimizer.lr=1e30")
    with pytest.raises(SystemExit, match="training diverged at batch 3 of epoch 1"):  # told when the epoch ends
        trained(call, tmp_path, *network, COMPILED, "trainer.log_every_n_steps=100")
    counters.clear()
    torch.compile(torch.cos, backend="aot_eager")(torch.ones(1))
    assert counters["stats"]["unique_graphs"] == 1


def fit_start(callback: CompileNetwork, device: str) -> None:
    trainer: Any = SimpleNamespace(strategy=SimpleNamespace(root_device=SimpleNamespace(type=device)))
    module: Any = SimpleNamespace(network=torch.nn.Identity())
    callback.on_fit_start(trainer, module)


def test_xla_compiles_by_itself() -> None:
    with pytest.raises(ValueError, match=r"callbacks\.CompileNetwork is for CPUs and GPUs; XLA compiles each step"):
        fit_start(CompileNetwork(), "xla")


def test_a_missing_compiler_is_told_before_the_first_step(call: Call, tmp_path: Path, monkeypatch: Any) -> None:
    def compiled(*_: Any, **__: Any) -> Any:
        raise RuntimeError("No working C++ compiler found.\nmore lines")

    monkeypatch.setattr(torch, "compile", compiled)
    with pytest.raises(
        SystemExit,
        match=r"cannot be used: No working C\+\+ compiler found\. On a CPU it needs a C\+\+ compiler, such as",
    ):
        trained(call, tmp_path / "run", "model=unet16", "model.network.widths=[4,8]", COMPILED)
