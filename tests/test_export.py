"""What is exported gives what the network gives, run by its own runtime at sizes that it was not exported at."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from deblurlab.nets import BlindWiener, NAFNet, REDNet30, ResNet16, UNet16
from deblurlab.restoring import export_formats
from deblurlab.restoring.restorer import Restorer
from deblurlab.run import weights
from tests.conftest import Call

NETWORKS = [UNet16, pytest.param(REDNet30, marks=pytest.mark.slow)]
NETWORKS += [pytest.param(ResNet16, marks=pytest.mark.exhaustive)]


def nafnet(window: int | None = None) -> NAFNet:
    network = NAFNet(width=4, encoder_blocks=[1, 1], middle_blocks=1, decoder_blocks=[1, 1], window=window)
    for block in network.modules():  # at their start, blocks add nothing
        for name in ("beta", "gamma"):
            if name in block._parameters:
                nn.init.ones_(block.get_parameter(name))
    return network


def blind_wiener() -> BlindWiener:
    return BlindWiener(sigma_max=3.0, hidden=8, widths=(8, 16), blocks=(1, 1, 1))


NETWORKS += [pytest.param(lambda: ResNet16(padding="keras"), id="ResNet16 as Keras pads", marks=pytest.mark.exhaustive)]
NETWORKS += [pytest.param(nafnet, marks=pytest.mark.exhaustive)]
NETWORKS += [pytest.param(lambda: nafnet(window=24), id="nafnet of windows", marks=pytest.mark.slow)]
NETWORKS += [pytest.param(blind_wiener, marks=pytest.mark.slow)]


def restorer(network: Callable[[], nn.Module]) -> Restorer:
    torch.manual_seed(0)
    return Restorer(network()).eval().requires_grad_(False)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("form", ["onnx", "torch_export"])
def test_heights_and_widths_are_dynamic(form: str, network: Callable[[], nn.Module], tmp_path: Path) -> None:
    if form == "onnx":
        pytest.importorskip("onnxscript", reason="ONNX, the extra `export`, is not installed")
    exported = restorer(network)
    run = getattr(export_formats, form)(exported, tmp_path / "network")
    for size in ((32, 56), (72, 24)):
        assert export_formats.difference(run, exported, size) < 1e-4
        assert run(torch.rand(1, 3, *size)).shape == (1, 3, *size)


@pytest.mark.parametrize(("form", "suffix", "other"), [("torch_export", ".pt2", ".onnx"), ("onnx", ".onnx", ".pt2")])
def test_output_is_a_folder_or_a_file_with_the_suffix_of_its_format(
    form: str, suffix: str, other: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if form == "onnx":
        pytest.importorskip("onnxscript", reason="ONNX, the extra `export`, is not installed")
    network = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}
    weights.save(UNet16(widths=[4, 8]), network, tmp_path / "a.safetensors")
    words = ("weights=a.safetensors", f"format={form}")
    call("export", *words, f"output=new/net{suffix}")
    assert (tmp_path / f"new/net{suffix}").is_file()
    assert f"new/net{suffix} takes one RGB image, (1, 3, height, width) of float32" in (told := capsys.readouterr().err)
    assert "any height and width that are multiples of 2;" in told
    with pytest.raises(SystemExit, match=f"format={form} writes no {other} file: give output=FILE{suffix} or a folder"):
        call("export", *words, f"output=net{other}")
    with pytest.raises(SystemExit, match=rf"format=stablehlo writes no {suffix} file: give a folder"):
        call("export", "weights=a.safetensors", "format=stablehlo", f"output=net{suffix}")
    assert not list(tmp_path.glob("net*"))


class Branches(nn.Module):
    """Adds to dark images only."""

    def forward(self, blurred: Tensor) -> Tensor:
        return blurred + 0.1 if blurred.mean() < 0.5 else blurred


class Halves(nn.Module):
    """Divides the image as MPRNet does, for which PyTorch assumes the width of the example and does not say so."""

    size_multiple = 8

    def forward(self, blurred: Tensor) -> Tensor:
        half = int(blurred.size(3) / 2)
        return torch.cat([blurred[..., :half] + 0.1, blurred[..., half:]], dim=-1)


@pytest.mark.filterwarnings("ignore:The delegation of int")
@pytest.mark.parametrize("form", ["onnx", "torch_export"])
@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Halves, r"^Halves cannot be traced for all heights and widths .* == 32\)\. "),
        (Branches, r"^Branches cannot be traced .* branch on values; format=stablehlo"),
    ],
)
def test_a_network_without_a_graph_for_all_sizes_is_refused(
    network: type[nn.Module], message: str, form: str, tmp_path: Path
) -> None:
    if form == "onnx":
        pytest.importorskip("onnxscript", reason="ONNX, the extra `export`, is not installed")
    with pytest.raises(ValueError, match=message):
        getattr(export_formats, form)(restorer(network), tmp_path / "network")
    assert not list(tmp_path.iterdir())


def test_an_archive_that_torch_cannot_read_is_one_message_and_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """PyTorch itself logs an error such as FFTformer's, with its traceback, and raises another."""

    def failing(*args: object, **options: object) -> None:
        raise RuntimeError("Failed deserializing node\n and so on")

    monkeypatch.setattr("torch.export.pt2_archive._package.load_pt2", failing)
    log = logging.getLogger("torch.export")  # which does not hand its lines on
    monkeypatch.setattr(log, "handlers", [caplog.handler])
    with pytest.raises(ValueError, match=r"^UNet16 cannot be read again .*deserializing the saved file\)\."):
        export_formats.torch_export(restorer(lambda: UNet16(widths=[4, 8])), tmp_path / "network")
    assert [one.message for one in caplog.records if one.name == log.name] == []
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_stablehlo_has_one_size(call: Call, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from tests.conftest import run_command

    torch.manual_seed(0)
    weights.save(
        UNet16(widths=[4, 8]), {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}, tmp_path / "a.safetensors"
    )
    done = run_command(tmp_path, "export", "weights=a.safetensors", "format=stablehlo", "size=[32,48]")
    assert done.returncode == 0, done.stderr
    assert float(done.stderr.split()[-1]) < 1e-4
    assert (tmp_path / "exported/a_32x48_stablehlo/functions").is_dir()


def test_an_unknown_format_is_refused(call: Call) -> None:
    with pytest.raises(SystemExit, match="format must be onnx, torch_export or stablehlo"):
        call("export", "format=caffe")
