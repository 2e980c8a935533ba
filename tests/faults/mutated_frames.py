"""Mutated shards, their index, and TFRecord files: every frame is the very frame, or the file is named."""

import random
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deblurlab.data.preparing.tfrecord import TFRECORD, record_sequences
from deblurlab.data.shards.index import Settings
from deblurlab.data.shards.storage import Storage
from deblurlab.pictures import read
from tests.data.frame_sets import prepared, shards
from tests.faults.counting import Campaign
from tests.faults.mutations import mutated
from tests.pictures import write_reds

Frames = list[npt.NDArray[np.uint8]]


def _frames(root: Path) -> Frames:
    """All frames of all splits of a folder of shards, as its data module reads them."""
    found: Frames = []
    data = shards(root)
    for split in ("train", "val", "test"):
        source = data.source(split)
        for frame in range(len(source.groups)):
            found.extend(np.asarray(side) for side in source.read(frame, 0))
    return found


def _same(one: Frames, other: Frames) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


def mutated_shards(seed: int, cases: int, folder: Path) -> Campaign:
    """Damage one file of a folder of shards, or put a shard in another's place, and read every frame."""
    campaign, draw = Campaign("mutated shards", seed), random.Random(seed)
    root = write_reds(folder / "reds", sequences=9, frames=2, test_sequences=1)
    whole: dict[str, Frames] = {}
    for codec in ("webp", "raw"):
        prepared(root, folder / codec, Settings(codec, (18, 32), True))
        whole[codec] = _frames(folder / codec)
    for number in range(cases):
        codec = draw.choice(list(whole))
        damaged = Path(shutil.copytree(folder / codec, folder / f"damaged-{number}"))
        files = sorted(damaged.rglob("*.parquet"))
        file = draw.choice([*files, damaged / "index.json"])
        if draw.random() < 0.1:
            file, other = draw.sample(files, 2)
            shutil.copyfile(other, file)
        else:
            file.write_bytes(mutated(file.read_bytes(), draw))
        what = f"case {number}, {codec}, {file.relative_to(damaged)}"
        campaign.judge(
            lambda damaged=damaged, codec=codec: _same(_frames(damaged), whole[codec]),
            what,
            names=str(damaged),
        )
        shutil.rmtree(damaged)
    return campaign


def mutated_records(seed: int, cases: int, folder: Path) -> Campaign:
    """Damage a TFRecord file and read its pairs."""
    campaign, draw = Campaign("mutated TFRecords", seed), random.Random(seed)
    root = write_reds(folder / "reds", sequences=1, frames=3, test_sequences=1)
    prepared(root, folder / "records", Settings("png", (18, 32), True), form=TFRECORD)
    (file,) = sorted((folder / "records").rglob("000.tfrecord"))[:1]
    data = file.read_bytes()

    def pairs() -> Frames:
        (sequence,) = record_sequences(Storage(str(file.parent)))
        sides = ((pair.blurred, pair.sharp) for pair in sequence.read())
        return [read(side, "frame").pixels for both in sides for side in both]

    whole = pairs()
    for number in range(cases):
        file.write_bytes(mutated(data, draw))
        campaign.judge(partial(lambda: _same(pairs(), whole)), f"case {number}", names=str(file))
    return campaign
