"""``python -m tests.faults [seed] [scale] [words]``: campaigns, their bugs and their table.

Scale 1 of all campaigns takes hours of one core; 0.02 is the short form of the test. The seed is random unless it is
given. With words, only campaigns in whose names one of them stands are run: ``python -m tests.faults 7 1 resumed odd``.
"""

import logging
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGUSR1

from PIL import Image

from tests.conftest import run_command, write_tiny_cifar10
from tests.faults import (
    full_disk,
    killed_commands,
    mutated_frames,
    mutated_pictures,
    mutated_structures,
    mutated_weights,
    random_commands,
    random_overrides,
    resume_mixes,
    resume_points,
)
from tests.faults.counting import Campaign, table
from tests.pictures import picture, write_reds

_FEW = ("trainer=cpu", "trainer.precision=32-true", "data=cifar10", "data.batch_size=4", "logger=none")
_NO_PANEL = ("callbacks.panel=null",)
_UNET = ("model=unet16", "model.network.widths=[4,8]", "trainer.max_epochs=4", "callbacks.within_epoch.minutes=0.01")
_WGAN = ("model=rednet30_wgan", "trainer.max_epochs=2", "trainer.limit_train_batches=3", "trainer.limit_val_batches=1")


def campaigns(seed: int, scale: float, folder: Path, words: Sequence[str] = ()) -> Iterator[Campaign]:
    """Each campaign when it is done.

    Args:
        seed: Seed of all of them.
        scale: How many cases, as a share of the long form. Each campaign has at least one.
        folder: A folder to work in.
        words: Run only those in whose names one of these stands. None runs all.
    """
    for name, run in _listed(seed, scale, folder):
        if (not words or any(word in name for word in words)) and (campaign := run()):
            yield campaign


def _listed(seed: int, scale: float, folder: Path) -> Iterator[tuple[str, Callable[[], Campaign | None]]]:
    """The name of each campaign, and what runs it; a campaign that this machine does not allow returns None."""

    def count(cases: int) -> int:
        return max(1, round(scale * cases))

    def new(name: str) -> Path:
        (folder / name).mkdir()
        return folder / name

    def checkpoints() -> Campaign:
        done = run_command(new("trained"), "train", *unet, "run=run")
        assert done.returncode == 0, done.stderr
        checkpoint = folder / "trained/run/checkpoints/last.ckpt"
        return mutated_weights.mutated_checkpoints(seed, count(300), checkpoint, new("checkpoints"))

    root = write_tiny_cifar10(folder / "cifar10")
    unet, wgan = ((*_FEW, f"data.root={root}", *model) for model in (_UNET, _WGAN))
    yield "mutated pictures", lambda: mutated_pictures.run(seed, count(1000))
    yield "mutated shards", lambda: mutated_frames.mutated_shards(seed, count(200), new("shards"))
    yield "mutated records", lambda: mutated_frames.mutated_records(seed, count(300), new("records"))
    yield "mutated safetensors", lambda: mutated_weights.mutated_safetensors(seed, count(300), new("safetensors"))
    yield "mutated checkpoints", checkpoints
    yield "random overrides", lambda: random_overrides.run(seed, count(300), new("overrides"))
    typed = new("typed")
    for command, arguments in random_commands.prepared(typed).items():
        run_typed = partial(random_commands.run, command, arguments, seed, count(200), typed)
        yield f"random overrides of {command}", run_typed
    kinds = {"UNet16": resume_points.UNET, "UNet16 with EMA": resume_points.EMA, "WGAN": resume_points.WGAN}
    for name, model in kinds.items():
        whole = (f"data.root={root}", *model, "data.batch_size=4", "trainer.max_epochs=5")
        tiny = [*_FEW, f"data.root={root}", *model, *_NO_PANEL]
        resumed, odd, loaded = (new(f"{kind}-{name}") for kind in ("resumed", "odd", "loaded"))
        same = partial(resume_points.run, name, lambda _, whole=whole: whole)
        yield f"resumed {name}", partial(same, seed, count(200), resumed)
        yield f"odd checkpoints of {name}", partial(mutated_structures.run, name, tiny, seed, count(100), odd)
        yield f"odd weights of {name}", partial(mutated_structures.run_as_weights, name, tiny, seed, count(100), loaded)
    for name, arguments in resume_mixes.kinds(new("mixed"), root).items():
        mixed = partial(resume_points.run, name, arguments, points=count(5))
        yield f"resumed {name}", partial(mixed, seed, count(50), new(name))
    yield "full disk", lambda: full_disk.run(seed, count(20), new("disk"), unet)
    reds = write_reds(folder / "reds", sequences=9, frames=4, test_sequences=1)
    pictures = new("pictures")
    for number in range(6):
        Image.fromarray(picture(number, 120, 160)).save(pictures / f"{number}.png")
    commands = {
        "unet": (killed_commands.training("train", unet), 50),
        "wgan": (killed_commands.training("train a WGAN", wgan), 20),
        "prepare": (killed_commands.preparing(reds), 30),
        "restore": (killed_commands.restoring(pictures), 30),
        "sweep": (killed_commands.sweeping(unet), 20),
    }
    for kind, signals in (("killed", [SIGKILL]), ("asked", [SIGINT, SIGTERM, SIGHUP, SIGUSR1])):
        for name, (command, cases) in commands.items():
            if kind == "killed" or scale >= 0.1 or name == "unet":
                place = new(f"{kind}-{name}")
                yield f"{kind} {name}", partial(killed_commands.run, command, seed, count(cases), place, signals)


def main() -> None:
    """Run all campaigns; exit status 1 if there is a bug."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(2**31)
    scale = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    words = sys.argv[3:]
    print(f"seed {seed}, scale {scale}", flush=True)
    logging.disable()
    warnings.simplefilter("ignore")
    done = []
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        for campaign in campaigns(seed, scale, Path(folder), words):
            done.append(campaign)
            counted = ", ".join(f"{number} {end}" for end, number in campaign.counts.items())
            print(f"{campaign.name}: {counted}", *campaign.bugs, sep="\n  ", flush=True)
    print(f"\n{table(done)}")
    sys.exit(any(campaign.bugs for campaign in done))


if __name__ == "__main__":
    main()
