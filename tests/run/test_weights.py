import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from deblurlab.nets import UNet16
from deblurlab.restoring import Restorer, load_restorer
from deblurlab.run import weights
from deblurlab.run.defaults import with_defaults
from tests.conftest import Call

CONFIG = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}
FEW = [f"trainer.limit_{stage}_batches=2" for stage in ("train", "val", "test")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    weights.save(UNet16(widths=[4, 8]), OmegaConf.create(CONFIG), tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a small network."""
    import subprocess

    from tests.conftest import run_command

    folder = tmp_path_factory.mktemp("trained")
    small = (
        "model.network.widths=[4,8]",
        "trainer=cpu",
        "trainer.precision=32-true",
        "trainer.max_epochs=1",
        "run=run",
    )
    done: subprocess.CompletedProcess[str] = run_command(folder, "train", *small, *FEW)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def metadata(**changed: str) -> dict[str, str]:
    return {"format": "deblurlab 1", "network": json.dumps(CONFIG)} | changed


def test_weights_alone_rebuild_the_network(file: Path) -> None:
    network = UNet16(widths=[4, 8])
    weights.save(network, CONFIG, file)
    blurred = torch.rand(1, 3, 16, 32)
    torch.testing.assert_close(load_restorer(file, device="cpu")(blurred), network(blurred))


def test_a_run_leaves_its_best_weights(run: Path) -> None:
    """In every form the same: the run's folder, its checkpoint, its safetensors file."""
    stored = torch.load(run / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
    for name in (run, run / "checkpoints/best.ckpt", run / "weights.safetensors"):
        loaded = weights.load(str(name))
        assert loaded.network == with_defaults(CONFIG)
        assert loaded.state.keys() == UNet16(widths=[4, 8]).state_dict().keys()
        for key, value in loaded.state.items():
            assert torch.equal(value, stored[f"network.{key}"])


def test_evaluate_scores_weights_as_it_scores_their_run(run: Path, call: Call, tmp_path: Path) -> None:
    limit = ["trainer.precision=32-true", "trainer.limit_test_batches=2"]
    call("evaluate", f"run={run}", "data=sample", *limit)
    call("evaluate", f"weights={run}/weights.safetensors", "data=sample", *limit)
    call("evaluate", f"run={run}", *limit, "output=elsewhere")
    of_weights = f"outputs/evaluate/{run.name}/sample-precision_32-true-limit_test_batches_2"
    folders = (run / "evaluate/sample-limit_test_batches_2", tmp_path / of_weights, tmp_path / "elsewhere")
    one, *others = (json.loads((folder / "metrics.json").read_text()) for folder in folders)
    assert others == [one, one]


def test_layers_may_share_their_weights(tmp_path: Path) -> None:
    layer = nn.Conv2d(3, 3, 3, padding=1)
    network = nn.Sequential(layer, nn.PReLU(), layer)
    network.register_buffer("part", layer.weight.detach()[1:])
    weights.save(network, CONFIG, tmp_path / "shared.safetensors")
    state = load_file(tmp_path / "shared.safetensors")
    assert state.keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        assert torch.equal(state[name], value), name


def test_weights_of_a_network_of_the_same_shapes_are_told_apart() -> None:
    plain = {"_target_": "deblurlab.nets.REDNet30"}
    assert weights.same_network(plain, plain | {"tanh": False})
    assert not weights.same_network(plain, plain | {"tanh": True})
    assert not weights.same_network(plain, {"_target_": "deblurlab.nets.UNet16"})
    assert weights.same_network(CONFIG, CONFIG | {"widths": (4, 8)})


def test_training_goes_on_from_weights(run: Path, call: Call, tmp_path: Path) -> None:
    """At a learning rate of zero the weights come out as they went in."""
    small = ("model.network.widths=[4,8]", "trainer=cpu", "trainer.max_epochs=1", "run=tuned", *FEW)
    call("train", f"weights={run}", "model.optimizer.lr=0.0", *small)
    before, after = load_file(run / "weights.safetensors"), load_file(tmp_path / "tuned/weights.safetensors")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


class Scales(nn.Module):
    """Gives three scales, as MSDeblur does."""

    def forward(self, blurred: torch.Tensor) -> list[torch.Tensor]:
        return [blurred, blurred[..., ::2, ::2], blurred[..., ::4, ::4]]


def test_networks_of_several_scales_restore_the_largest() -> None:
    blurred = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(Restorer(Scales())(blurred), blurred)


@pytest.mark.parametrize("name", ["nowhere", "nowhere/weights.safetensors", "."])
def test_what_is_not_there_is_answered_with_what_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"no such run, file or shipped name. Shipped: "):
        weights.load(name)


@pytest.mark.parametrize(
    "network",
    [
        {"_target_": "os.system", "command": "true"},
        {"_target_": "deblurlab.nets.unet16.torch.load", "f": "x"},
        {"_target_": "deblurlab.nets.UNet16", "widths": {"_target_": "os.system"}},
        {"_target_": "deblurlab.nets.UNet16", "widths": [{"_target_": "os.system"}]},
        {"_target_": "deblurlab.nets.UNet16", "_args_": ["${oc.env:HOME}"]},
        {"_target_": "deblurlab.nets.UNet16", "widths": "${oc.env:HOME}"},
        ["deblurlab.nets.UNet16"],
    ],
)
def test_a_weights_file_names_our_networks_only(network: Any, file: Path) -> None:
    save_file(load_file(file), file, metadata(network=json.dumps(network)))
    with pytest.raises(ValueError, match=r"mine\.safetensors is not of .* weights=FOLDER trust=\[my_package\]\.$"):
        weights.load(str(file))


def test_damaged_and_foreign_files_are_named(file: Path) -> None:
    content = file.read_bytes()
    for damaged in (b"", content[:100], content[:-5], np.random.default_rng(0).bytes(500)):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"mine\.safetensors is not a safetensors file, or is damaged"):
            weights.load(str(file))
    save_file({"x": torch.zeros(1)}, file)
    with pytest.raises(ValueError, match=r"mine\.safetensors does not say which network it is of"):
        weights.load(str(file))


def test_no_flipped_byte_goes_unnoticed(file: Path) -> None:
    """Of each of 60 bytes all over the file one bit is flipped: the file is refused, or it is what it was."""
    network = weights.load(str(file)).network
    state, content = load_file(file), file.read_bytes()
    refused = 0
    for place in np.linspace(8, len(content) - 1, 60).astype(int):
        damaged = bytearray(content)
        damaged[place] ^= 1
        file.write_bytes(damaged)
        try:
            loaded = weights.load(str(file))
            read = loaded.state  # what compares the checksum, also with the configuration of the network
            assert loaded.network == network
            assert all(torch.equal(read[name], value) for name, value in state.items())
        except ValueError as error:
            assert "mine.safetensors" in str(error)  # noqa: PT017
            refused += 1
    assert refused > 50


def test_a_file_without_a_checksum_is_read(file: Path) -> None:
    """As version 0.1.0 wrote them."""
    state = load_file(file)
    save_file(state, file, metadata())
    assert weights.load(str(file)).state.keys() == state.keys()


def test_weights_of_another_network_are_refused(file: Path) -> None:
    with pytest.raises(ValueError, match=r"encoder\.0\.0\.weight is \(4, 3, 3, 3\) there and \(16, 3, 3, 3\) here"):
        weights.fill(UNet16(), weights.load(str(file)))


@pytest.mark.parametrize(("version", "warned"), [("2.9.1+cpu", True), ("2.10.0", False), ("3.0.0", False)])
def test_checkpoints_are_warned_of_where_torch_has_the_hole_and_weights_files_are_not(
    version: str, warned: bool, run: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch, "__version__", version)
    assert weights.load(str(run / "weights.safetensors")).state
    assert "CVE-2026-24747" not in caplog.text
    assert weights.load(str(run / "checkpoints/best.ckpt")).state
    assert ("CVE-2026-24747" in caplog.text) == warned


def test_a_checkpoint_apart_from_its_run_is_explained(tmp_path: Path, run: Path) -> None:
    (tmp_path / "best.ckpt").write_bytes((run / "checkpoints/best.ckpt").read_bytes())
    with pytest.raises(ValueError, match=r"a checkpoint says which network it is of by its run's folder"):
        weights.load(str(tmp_path / "best.ckpt"))


def test_a_checkpoint_that_lacks_a_weight_is_named_and_not_its_run_s_configuration(tmp_path: Path, run: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run") / "checkpoints/best.ckpt"
    state = torch.load(copy, weights_only=True)
    del state["state_dict"]["network.encoder.0.0.bias"]
    torch.save(state, copy)
    with pytest.raises(
        ValueError, match=r"best\.ckpt: the weights are of another network: encoder\.0\.0\.bias is missing"
    ):
        load_restorer(copy, device="cpu")


@pytest.mark.parametrize("name", weights.shipped())
def test_shipped_weights_load_and_have_a_card(name: str) -> None:
    restorer = load_restorer(name, device="cpu")
    assert restorer(torch.rand(1, 3, 32, 32)).shape == (1, 3, 32, 32)
    assert f"## {name}\n" in (weights.FOLDER / "README.md").read_text()


def test_shipped_photographs_improve_a_real_frame(real_data: Path) -> None:
    """A GOPRO test frame, which the network has not seen, gains PSNR and SSIM."""
    from PIL import Image

    from deblurlab.metrics.image import psnr, ssim

    frames = real_data / "gopro/test/GOPR0384_11_00"
    blurred, sharp = (np.array(Image.open(frames / side / "000003.png").convert("RGB")) for side in ("blur", "sharp"))
    restored = load_restorer("photographs", device="cpu").restore(blurred)
    images = [torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255 for pixels in (blurred, restored, sharp)]
    for measure in (psnr, ssim):
        assert measure(images[1], images[2]) > measure(images[0], images[2])


@pytest.mark.parametrize("name", weights.shipped())
def test_shipped_weights_have_a_checksum(name: str) -> None:
    with safe_open(weights.FOLDER / f"{name}.safetensors", "pt") as file:
        assert len(file.metadata()["sha256"]) == 64
    assert weights.load(name).state, "reading compares it"


@pytest.mark.parametrize("name", ["net.onnx", "net.pt2"])
def test_an_exported_network_is_no_checkpoint(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / name).write_bytes(b"exported")
    with pytest.raises(ValueError, match=rf"{name} is an exported network, which other runtimes run: name what it was"):
        weights.load(str(tmp_path / name))
    assert "checkpoint" not in caplog.text
