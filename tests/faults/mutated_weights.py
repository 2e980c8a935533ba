"""Mutated weights files and checkpoints: the very weights, or one error that names the file."""

import random
from pathlib import Path

import torch
from torch import Tensor

from deblurlab.app import build
from deblurlab.restoring import load_restorer
from deblurlab.run import weights
from deblurlab.run.checkpoint import AtomicCheckpointIO
from tests.faults.counting import Campaign
from tests.faults.mutations import mutated

_CONFIG = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}


def _same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def mutated_safetensors(seed: int, cases: int, folder: Path) -> Campaign:
    """Damage a weights file and build its network."""
    campaign, draw = Campaign("mutated safetensors", seed), random.Random(seed)
    torch.manual_seed(0)
    file = folder / "mine.safetensors"
    weights.save(build.instantiated(_CONFIG), _CONFIG, file)
    data, whole = file.read_bytes(), load_restorer(file).state_dict()
    for number in range(cases):
        file.write_bytes(mutated(data, draw))
        campaign.judge(lambda: _same(load_restorer(file).state_dict(), whole), f"case {number}", names=file.name)
    return campaign


def mutated_checkpoints(seed: int, cases: int, checkpoint: Path, folder: Path) -> Campaign:
    """Damage the bytes of a checkpoint and read its weights.

    Args:
        seed: Seed of the damages.
        cases: Their number.
        checkpoint: A checkpoint of a run.
        folder: An empty folder.
    """
    campaign, draw = Campaign("mutated checkpoints", seed), random.Random(seed)
    data = checkpoint.read_bytes()
    file = folder / "last.ckpt"

    def state() -> dict[str, Tensor]:
        return dict(AtomicCheckpointIO().load_checkpoint(file)["state_dict"])

    file.write_bytes(data)
    whole = state()
    for number in range(cases):
        file.write_bytes(mutated(data, draw))
        campaign.judge(lambda: _same(state(), whole), f"case {number}", names=file.name)
    return campaign
