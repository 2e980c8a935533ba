"""Weights that are not numbers overwrite nothing, and are refused wherever weights are loaded."""

from pathlib import Path

import pytest
import torch

from deblurlab.nets import UNet16
from deblurlab.restoring import load_restorer
from deblurlab.run import weights
from deblurlab.run.checkpoint import AtomicCheckpointIO

LOST = {"network.a": torch.ones(2), "network.b": torch.tensor([1.0, torch.nan])}


@pytest.mark.parametrize("key", ["state_dict", "current_model_state"])
def test_a_good_checkpoint_is_kept(key: str, tmp_path: Path) -> None:
    file, checkpoints = tmp_path / "last.ckpt", AtomicCheckpointIO()
    checkpoints.save_checkpoint({"state_dict": {"network.a": torch.ones(2)}}, file)
    before = file.read_bytes()
    with pytest.raises(
        ValueError, match=r"before it writes .*last\.ckpt: its weights are not numbers \(NaN\), first netw"
    ):
        checkpoints.save_checkpoint({key: LOST}, file)
    assert file.read_bytes() == before


def test_a_checkpoint_of_before_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": LOST, "pytorch-lightning_version": "2.6.6"}, tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match=r"last\.ckpt: its weights are not numbers \(NaN\), first network\.b"):
        AtomicCheckpointIO().load_checkpoint(tmp_path / "last.ckpt")


def test_a_weights_file_is_refused(tmp_path: Path) -> None:
    network = UNet16(widths=[4, 8])
    torch.nn.init.constant_(next(network.parameters()), torch.nan)
    weights.save(network, {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}, tmp_path / "lost.safetensors")
    with pytest.raises(ValueError, match=r"lost\.safetensors: its weights are not numbers \(NaN\)"):
        load_restorer(tmp_path / "lost.safetensors", device="cpu")


def test_no_flipped_byte_of_a_checkpoint_goes_unnoticed(tmp_path: Path) -> None:
    """Of each of 60 bytes all over the file one bit is flipped: the file is refused, or it is what it was."""
    file, state = tmp_path / "last.ckpt", {"network.a": torch.rand(50, 50), "network.b": torch.rand(70)}
    torch.save({"state_dict": state, "pytorch-lightning_version": "2.6.6", "callbacks": {}}, file)
    content, refused = file.read_bytes(), 0
    for place in range(8, len(content), len(content) // 60):
        damaged = bytearray(content)
        damaged[place] ^= 1
        file.write_bytes(damaged)
        try:
            loaded = AtomicCheckpointIO().load_checkpoint(file)["state_dict"]
            assert loaded.keys() == state.keys()
            assert all(torch.equal(loaded[name], value) for name, value in state.items())
        except ValueError as error:
            assert "last.ckpt" in str(error)  # noqa: PT017
            refused += 1
    assert refused > 40
