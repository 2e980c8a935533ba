"""Files as Keras writes them make networks that compute what Keras' do, and nothing else is taken.

``layouts.json`` holds the names and shapes that tf_keras 2.21 wrote for the study's networks, and what TensorFlow 2.21
made of an image with drawn weights. ``keras_networks`` wrote it; the slow test runs that again where TensorFlow is.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from deblurlab.nets import UNet16
from deblurlab.restoring import load_restorer
from deblurlab.run import weights
from deblurlab.run.network import built
from tests.conftest import ROOT, Call
from tests.converting.drawn import image
from tests.converting.written import LAYOUTS, write

h5py = pytest.importorskip("h5py", reason="h5py, the extra `keras`, is not installed")
converting = pytest.importorskip("deblurlab.converting")

CRITIC = ("model=rednet30_wgan", "part=critic")
CHOICES = {name: (f"model={name}",) for name in LAYOUTS} | {
    "msdeblur_wgan": ("model=msdeblur_wgan", "model.network.blocks=2"),
    "critic": CRITIC,
}
NETWORKS: dict[str, dict[str, Any]] = {
    "resnet16": {"_target_": "deblurlab.nets.ResNet16"},
    "unet16": {"_target_": "deblurlab.nets.UNet16"},
    "rednet30": {"_target_": "deblurlab.nets.REDNet30"},
    "rednet30_wgan": {"_target_": "deblurlab.nets.REDNet30", "tanh": True},
    "msdeblur_wgan": {"_target_": "deblurlab.nets.MSDeblur", "blocks": 2},
    "critic": {"_target_": "deblurlab.nets.PatchGAN"},
}
TENSORFLOW = os.environ.get("DEBLURLAB_TENSORFLOW") or (sys.executable if find_spec("tensorflow") else None)


def output(name: str) -> npt.NDArray[np.float32]:
    """What Keras' network makes of the image: all values of all its outputs."""
    return np.array(LAYOUTS[name]["output"], np.float32)


def require_equal(network: torch.nn.Module, name: str, expected: npt.NDArray[np.float32]) -> None:
    """Compare what a network of ours makes of the image with what Keras made of it, in Keras' range and order."""
    blurred = torch.from_numpy(image()).movedim(-1, 1)
    with torch.no_grad():
        made = network.eval()(2 * blurred - 1 if name == "critic" else blurred)
    if name == "critic":  # ours takes the mean of the scores of all patches
        found, expected = made.numpy(), expected.mean(keepdims=True)
    else:
        scales = [one.movedim(1, -1).numpy().ravel() for one in (made if isinstance(made, list) else [made])]
        found = 2 * np.concatenate(scales) - 1 if name.endswith("wgan") else np.concatenate(scales)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max() + 1e-6)


def loaded(file: Path) -> torch.nn.Module:
    chosen = weights.load(str(file))
    network: torch.nn.Module = built(chosen.network)
    weights.fill(network, chosen)
    return network


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_converted_network_computes_what_keras_computes(name: str, tmp_path: Path) -> None:
    study = converting.study_of(NETWORKS[name])
    network = built(NETWORKS[name] | study.arguments)
    converting.fill_from(write(tmp_path / "a.h5", name), network, study)
    require_equal(network, name, output(name))


@pytest.mark.slow
@pytest.mark.skipif(TENSORFLOW is None, reason="no TensorFlow: DEBLURLAB_TENSORFLOW=PYTHON names one that has it")
def test_files_that_keras_writes_itself(call: Call, tmp_path: Path) -> None:
    assert TENSORFLOW
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    script = [TENSORFLOW, "-m", "tests.converting.keras_networks", str(tmp_path)]
    subprocess.run(script, cwd=ROOT, env=environment, check=True, capture_output=True)
    files = sorted(tmp_path.glob("*keras_*.npz"))
    assert {file.stem.partition("keras_")[2] for file in files} == set(LAYOUTS)
    for file in files:
        name, outputs = file.stem.partition("keras_")[2], np.load(file)
        call("convert", f"{file.stem}.h5", *CHOICES[name])
        expected = np.concatenate([outputs[part].ravel() for part in outputs.files])
        require_equal(loaded(tmp_path / "weights.safetensors"), name, expected)
    with pytest.raises(SystemExit, match="in the format of Keras 3"):
        call("convert", "keras3.weights.h5", *CHOICES["unet16"])


def test_a_saved_model_is_read_without_a_look_at_its_description(call: Call, tmp_path: Path) -> None:
    file = write(tmp_path / "saved.h5", "unet16", inside="model_weights", text=str)
    with h5py.File(file, "a") as stream:
        stream.attrs["model_config"] = b"{no JSON, and a Lambda layer"
    call("convert", "saved.h5", "model=unet16", "out=my.safetensors")
    require_equal(load_restorer(tmp_path / "my.safetensors", device="cpu").network, "unet16", output("unet16"))


def test_the_file_says_how_the_study_pads_and_reduces(call: Call, tmp_path: Path) -> None:
    write(tmp_path / "a.h5", "msdeblur_wgan")
    call("convert", "input=a.h5", *CHOICES["msdeblur_wgan"])
    network = weights.load(str(tmp_path / "weights.safetensors")).network
    assert network == {"_target_": "deblurlab.nets.MSDeblur", "blocks": 2, "quarter": "bilinear", "padding": "keras"}


def test_layers_without_names_are_told_by_their_order(call: Call, tmp_path: Path) -> None:
    """Keras counts them over all models of a process; layouts.json happens to have one count, and this another."""
    file = write(tmp_path / "a.h5", "msdeblur_wgan")
    with h5py.File(file, "a") as stream:
        names = list(stream.attrs["layer_names"].astype(str))
        new = {name: f"conv2d_transpose_{98 + i}" for i, name in enumerate(n for n in names if "transpose" in n)}
        assert len(new) == 2
        for name, other in new.items():
            stream.move(name, other)
        stream.attrs["layer_names"] = [new.get(name, name).encode() for name in names]
    call("convert", "a.h5", *CHOICES["msdeblur_wgan"])
    require_equal(loaded(tmp_path / "weights.safetensors"), "msdeblur_wgan", output("msdeblur_wgan"))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (("model=resnet16",), "lacks the layers .* more and has .* It fits model=unet16"),
        (("model=nafnet",), "the study has no NAFNet: convert reads its ResNet16, UNet16"),
        (("model=blind_wiener",), "the study has no BlindWiener: convert reads"),
        (("model=unet16", "part=critic"), "part=critic is for WGANs"),
        (("model=unet16", "part=both"), "part must be network or critic, got both"),
        (("model=unet16", "out=weights.pth"), r"out=weights.pth must end in \.safetensors"),
        (("model=unet16", "model.network.widths=[4,8]"), "has other layers than this network"),
        (
            ("model=unet16", "model.network.widths=[4,8,16,32]"),
            r"kernel of the layer conv7_2 is \(1, 1, 16, 3\) there, not \(1, 1, 4, 3\)",
        ),
    ],
)
def test_a_file_of_another_network_is_refused(
    choice: tuple[str, ...], message: str, call: Call, tmp_path: Path
) -> None:
    write(tmp_path / "unet.h5", "unet16")
    with pytest.raises(SystemExit, match=message):
        call("convert", "unet.h5", *choice)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_critic_says_how_it_is_chosen(call: Call, tmp_path: Path) -> None:
    write(tmp_path / "critic.h5", "critic")
    with pytest.raises(SystemExit, match="It fits part=critic and the model of a WGAN"):
        call("convert", "critic.h5", "model=rednet30_wgan")


LAYER, PATH = "conv7_2", "conv7_2/kernel:0"


def replaced(create: Callable[[Any, Path], object]) -> Callable[[Any, Path], None]:
    """A change of a file that puts something else in the place of a kernel, (1, 1, 16, 3)."""

    def change(stream: Any, folder: Path) -> None:
        del stream[LAYER][PATH]
        create(stream[LAYER], folder)

    return change


def fill_attribute(stream: Any, folder: Path) -> None:
    stream.attrs["layer_names"] = np.zeros(5000, "S8")


def made_up(group: Any, folder: Path) -> None:
    virtual = h5py.VirtualLayout((1, 1, 16, 3), "f4")
    virtual[:] = h5py.VirtualSource(str(folder / "other.h5"), "x", (1, 1, 16, 3))
    group.create_virtual_dataset(PATH, virtual)


SIZE: dict[str, Any] = {"shape": (1, 1, 16, 3), "dtype": "f4"}
NUMBERS = np.ones((1, 1, 16, 3), np.float32)
HOSTILE: dict[str, tuple[Callable[[Any, Path], object], str]] = {
    "a missing layer": (
        lambda stream, folder: stream.__delitem__(LAYER),
        "the layer conv7_2 that it lists is not there",
    ),
    "a missing weight": (replaced(lambda group, folder: None), "the weight conv7_2/kernel:0 .* is not there"),
    "a group for a weight": (replaced(lambda group, folder: group.create_group(PATH)), "is not there"),
    "no names of weights": (
        lambda stream, folder: stream[LAYER].attrs.pop("weight_names"),
        "no attribute weight_names",
    ),
    "no layers": (lambda stream, folder: stream.attrs.pop("layer_names"), "no attribute layer_names"),
    "too many names": (fill_attribute, "is not a list of at most 1024 names"),
    "a link to another file": (
        replaced(lambda group, folder: group.__setitem__(PATH, h5py.ExternalLink(folder / "other.h5", "x"))),
        "kernel:0 is a link to somewhere else",
    ),
    "a soft link": (replaced(lambda group, folder: group.__setitem__(PATH, h5py.SoftLink("/x"))), "is a link"),
    "numbers of another file": (
        replaced(lambda group, folder: group.create_dataset(PATH, **SIZE, external=[(str(folder / "secret"), 0, 192)])),
        "do not stand in the file in one piece",
    ),
    "a virtual dataset": (replaced(made_up), "do not stand in the file in one piece"),
    "packed numbers": (
        replaced(lambda group, folder: group.create_dataset(PATH, data=NUMBERS, compression="gzip")),
        "do not stand in the file in one piece",
    ),
    "numbers that are not there": (replaced(lambda group, folder: group.create_dataset(PATH, **SIZE)), "do not stand"),
    "a shape of terabytes": (
        replaced(lambda group, folder: group.create_dataset(PATH, (2**14, 2**14, 2**14, 3), "f4", chunks=True)),
        r"kernel of the layer conv7_2 is \(16384, .* there, not \(1, 1, 16, 3\)",
    ),
    "another shape": (
        replaced(lambda group, folder: group.create_dataset(PATH, data=NUMBERS[0])),
        r"is \(1, 16, 3\) there, not \(1, 1, 16, 3\)",
    ),
    "float64": (replaced(lambda group, folder: group.create_dataset(PATH, data=NUMBERS.astype(float))), "float64"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_keras_does_not_write_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    change, message = HOSTILE[name]
    file = write(tmp_path / "unet.h5", "unet16")
    (tmp_path / "secret").write_bytes(bytes(192))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = NUMBERS
    with h5py.File(file, "a") as stream:
        change(stream, tmp_path)
    with pytest.raises(ValueError, match=message) as refused:
        fill_unet16(file)
    assert str(refused.value).startswith(str(file))
    assert "\n" not in str(refused.value)


def fill_unet16(file: Path) -> None:
    converting.fill_from(file, UNet16(), converting.study_of({"_target_": "deblurlab.nets.UNet16"}))


def test_damaged_files_and_others_are_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "unet.h5", "unet16").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.h5").write_text("no HDF5")
    with h5py.File(tmp_path / "new.weights.h5", "w") as stream:  # as Keras 3 begins its own format
        stream.create_group("layers/conv2d/vars")
    for file, message in {
        "cut.h5": r"cut\.h5 is damaged: ",
        "text.h5": r"text\.h5 is not an HDF5 file",
        "new.weights.h5": r"in the format of Keras 3 \(\.weights\.h5\).*model\.save\('x\.h5'\)",
        "none.h5": r"none\.h5: there is no such file",
    }.items():
        with pytest.raises(ValueError, match=message):
            fill_unet16(tmp_path / file)


def test_weights_of_keras_are_sent_to_convert(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is a file of Keras: `deblurlab convert .*unet\.h5 model=\.\.\.`"):
        weights.load(str(write(tmp_path / "unet.h5", "unet16")))
