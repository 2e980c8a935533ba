"""NAFNet against spandrel's, its local means against pooling, and published weights."""

import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import spandrel
import torch
from safetensors.torch import save_file
from spandrel.architectures.NAFNet import NAFNet as Theirs
from torch import Tensor
from torch.nn import functional as F

from deblurlab.nets import NAFNet, UNet16
from deblurlab.nets.local_mean import extended, window_means
from deblurlab.restoring import load_restorer
from deblurlab.run import weights

OURS: dict[str, Any] = {"width": 8, "encoder_blocks": [1, 2], "middle_blocks": 2, "decoder_blocks": [2, 1]}
CONFIG = {"_target_": "deblurlab.nets.NAFNet", **OURS}


def theirs() -> Theirs:
    """Spandrel's, whose weights are all random: those that start at zero would hide the blocks."""
    torch.manual_seed(0)
    network = Theirs(width=8, enc_blk_nums=[1, 2], middle_blk_num=2, dec_blk_nums=[2, 1]).eval().requires_grad_(False)
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.2)
    return network


def ours() -> NAFNet:
    network = NAFNet(**OURS).eval().requires_grad_(False)
    network.load_state_dict(theirs().state_dict())
    return network


def written(form: str, state: dict[str, Tensor], folder: Path) -> Path:
    file = folder / f"{form}.{'safetensors' if form == 'safetensors' else 'pth'}"
    if form == "safetensors":
        save_file(state, file)
    else:
        prefix = "module." if form == "module" else ""
        state = {prefix + name: value for name, value in state.items()}
        torch.save({form: state} if form.startswith("params") else state, file)
    return file


def test_names_order_and_results_are_spandrels() -> None:
    network, reference, blurred = ours(), theirs(), torch.rand(2, 3, 24, 20)
    assert list(network.state_dict()) == list(reference.state_dict())
    assert [name for name, _ in network.named_parameters()] == [name for name, _ in reference.named_parameters()]
    torch.testing.assert_close(network(blurred), reference(blurred), rtol=1e-5, atol=1e-5)
    assert float((reference(blurred) - blurred).std()) > 0.1


@pytest.mark.filterwarnings("ignore:.*saved_variables:DeprecationWarning")  # spandrel's own
def test_gradients_are_spandrels() -> None:
    blurred, found = torch.rand(2, 3, 8, 8), []
    for network in (ours(), theirs()):
        network.requires_grad_(True)(blurred).square().mean().backward()
        found.append({name: value.grad for name, value in network.named_parameters()})
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", ["params", "params_ema", "state_dict", "module", "plain", "safetensors"])
def test_published_weights_load_as_they_are(form: str, tmp_path: Path) -> None:
    """Width and numbers of blocks are read from the names and shapes."""
    file, blurred = written(form, theirs().state_dict(), tmp_path), torch.rand(1, 3, 16, 12)
    assert weights.load(str(file)).network == CONFIG
    torch.testing.assert_close(load_restorer(file, device="cpu")(blurred), theirs()(blurred), rtol=1e-5, atol=1e-5)


def test_our_weights_file_loads_in_spandrel(tmp_path: Path) -> None:
    weights.save(ours(), CONFIG, tmp_path / "ours.safetensors")
    loaded, blurred = spandrel.ModelLoader().load_from_file(tmp_path / "ours.safetensors"), torch.rand(1, 3, 16, 12)
    assert isinstance(loaded.model, Theirs)
    torch.testing.assert_close(loaded.model(blurred), ours()(blurred), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("side", [1, 3, 4, 9, 20])
def test_local_means_are_pooling_continued_at_the_borders(side: int) -> None:
    features = torch.rand(2, 3, 9, 12, dtype=torch.float32)
    pooled = F.avg_pool2d(features, (min(side, 9), min(side, 12)), stride=1)
    down, across = 9 - pooled.shape[2], 12 - pooled.shape[3]
    margins = (across // 2, across - across // 2, down // 2, down - down // 2)
    means = window_means(features, side)
    torch.testing.assert_close(means, pooled)
    torch.testing.assert_close(extended(means, features), F.pad(pooled, margins, mode="replicate"))


def test_a_window_acts_in_evaluation_alone_and_each_level_has_its_part() -> None:
    network, blurred = ours(), torch.rand(1, 3, 32, 32)
    whole = network(blurred)
    network.window = 32  # as large as the image
    torch.testing.assert_close(network(blurred), whole, rtol=1e-4, atol=1e-5)
    network.window = 8
    assert float((network(blurred) - whole).abs().max()) > 1e-3
    torch.testing.assert_close(network.train()(blurred), whole)
    # what lies far away has no part in a window: means over the whole image would have it
    network = NAFNet(width=4, encoder_blocks=[], middle_blocks=1, decoder_blocks=[], window=5).eval()
    torch.nn.init.ones_(network.middle_blks[0].beta)
    changed = blurred.clone()
    changed[..., 20:] = 0
    torch.testing.assert_close(network(blurred)[..., :15], network(changed)[..., :15])


def test_unshuffled_pixels_return_to_their_places() -> None:
    network = NAFNet(width=12, encoder_blocks=[], middle_blocks=0, decoder_blocks=[], unshuffle=2)
    for layer in (network.intro, network.ending):
        torch.nn.init.zeros_(layer.bias)
        torch.nn.init.dirac_(layer.weight)  # the identity
    blurred = torch.rand(1, 3, 6, 10)
    torch.testing.assert_close(network(blurred), 2 * blurred)
    network = NAFNet(width=4, encoder_blocks=[1], middle_blocks=1, decoder_blocks=[1], unshuffle=2, window=16)
    assert network.size_multiple == 4
    assert [block.sca[0].reduction for block in (network.encoders[0][0], network.middle_blks[0])] == [2, 4]


def test_a_window_is_for_networks_that_take_means(tmp_path: Path) -> None:
    weights.save(ours(), CONFIG, tmp_path / "ours.safetensors")
    assert load_restorer(tmp_path / "ours.safetensors", device="cpu", window=48).network.window == 48
    weights.save(
        UNet16(widths=[4, 8]), {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}, tmp_path / "u.safetensors"
    )
    with pytest.raises(ValueError, match=r"window=48: UNet16 takes no means over the image"):
        load_restorer(tmp_path / "u.safetensors", device="cpu", window=48)


def test_sizes_and_settings_that_do_not_fit_are_explained() -> None:
    with pytest.raises(ValueError, match=r"NAFNet halves .* multiples of 4, got 2x6"):
        ours()(torch.rand(1, 3, 2, 6))
    with pytest.raises(ValueError, match=r"encoder_blocks=\[1, 2\] has 2 levels and decoder_blocks=\[1\] has 1"):
        NAFNet(width=8, encoder_blocks=[1, 2], middle_blocks=1, decoder_blocks=[1])
    with pytest.raises(ValueError, match="at least 1 pixel, got 0"):
        NAFNet(**OURS, window=0)
    with pytest.raises(ValueError, match="unshuffle of NAFNet is at least 1, got 0"):
        NAFNet(**OURS, unshuffle=0)


@pytest.mark.parametrize("form", ["plain", "safetensors"])
def test_an_unknown_state_dict_names_its_keys_and_what_was_expected(form: str, tmp_path: Path) -> None:
    file = written(form, {f"body.{number}": torch.rand(2) for number in range(6)}, tmp_path)
    with pytest.raises(
        ValueError, match=r"6 tensors \(body\.0, body\.1, .*\.\.\.\).* Expected are NAFNet's, such as intro"
    ):
        weights.load(str(file))


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    state = theirs().state_dict()
    del state["encoders.1.0.beta"]
    with pytest.raises(ValueError, match=r"encoders\.1\.0\.beta is missing there"):
        load_restorer(written("plain", state, tmp_path), device="cpu")


class Harmful:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.target, "harm"))


def test_nothing_in_a_pth_file_is_executed(tmp_path: Path) -> None:
    for number, content in enumerate(
        (Harmful(tmp_path / "harm"), {"params": {"x": Harmful(tmp_path / "harm")}}, Theirs())
    ):
        torch.save(content, tmp_path / f"{number}.pth")
        with pytest.raises(ValueError, match=rf"{number}\.pth is not taken: .*Save its state dict as safetensors"):
            weights.load(str(tmp_path / f"{number}.pth"))
    assert not (tmp_path / "harm").exists()


def test_a_pth_file_cannot_claim_more_than_it_holds(tmp_path: Path) -> None:
    torch.save({"x": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "large.pth")
    with pytest.raises(ValueError, match=r"would have 4,000,000,000,000 bytes, more than the whole file"):
        weights.load(str(tmp_path / "large.pth"))


def rewritten(file: Path, target: Path, change: Any) -> Path:
    """The archive with another pickle."""
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as made:
        for entry in source.infolist():
            content = source.read(entry)
            made.writestr(entry.filename, change(content) if entry.filename.endswith("data.pkl") else content)
    return target


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pickled: pickled[:-1] + b"r" + struct.pack("<I", 2**31) + b".", "its pickle has LONG_BINPUT"),
        (lambda pickled: pickled[:-1] + b"\x96" + struct.pack("<Q", 2**40) + b".", "damaged: .*1 remain"),
        (lambda pickled: pickled[: len(pickled) // 2], "damaged"),
        (lambda pickled: b"cos\nsystem\nU\x04true\x85R.", "its pickle has SHORT_BINSTRING"),
        (lambda pickled: b"cos\nsystem\nX\x04\x00\x00\x00true\x85R.", r"it names os\.system"),
        (lambda pickled: b"\x80\x02ctorch\nFloatStorage\n)R.", "it calls something that is not a function"),
        (lambda pickled: b"\x80\x02ctorch\nFloatStorage\n}b.", "it changes what it has made"),
        (lambda pickled: b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x01K\x01K\x01tR.", "not described as"),
        (lambda pickled: b"\x80\x02}.", "no mapping from names"),
    ],
)
def test_crafted_pickles_are_refused(change: Any, message: str, tmp_path: Path) -> None:
    file = rewritten(written("plain", {"x": torch.rand(2)}, tmp_path), tmp_path / "crafted.pth", change)
    with pytest.raises(ValueError, match=rf"crafted\.pth is .*{message}"):
        weights.load(str(file))


def test_numbers_outside_of_their_storage_are_refused(tmp_path: Path) -> None:
    state = {name: value.clone() for name, value in theirs().state_dict().items()}
    file = written("plain", state, tmp_path)
    shape = b"K\x10K\x08K\x01K\x01t"  # of encoders.0.0.conv1.weight, (16, 8, 1, 1)
    beyond = rewritten(file, tmp_path / "beyond.pth", lambda pickled: pickled.replace(shape, b"K\x10K\x08K\x02K\x01t"))
    with pytest.raises(ValueError, match=r"beyond\.pth is damaged|are of another network"):
        load_restorer(beyond, device="cpu")


def test_other_files_are_named(tmp_path: Path) -> None:
    torch.save({"x": torch.rand(2)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    (tmp_path / "empty.pth").write_bytes(b"")
    for name in ("old", "empty"):
        with pytest.raises(ValueError, match=rf"{name}\.pth is not a \.pth file of torch 1\.6 or later"):
            weights.load(str(tmp_path / f"{name}.pth"))
