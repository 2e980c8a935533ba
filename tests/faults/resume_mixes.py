"""Random mixes of the settings that could make a resumed run inexact, each for a tiny run that ends in seconds."""

import random
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from deblurlab.data.shards.index import Settings
from tests.data.frame_sets import prepared
from tests.faults.resume_points import UNET, WGAN
from tests.pictures import write_pictures, write_reds

_SCHEDULERS = (
    "model.scheduler={_target_: torch.optim.lr_scheduler.ExponentialLR, gamma: 0.5, _partial_: true}",
    "model.scheduler={_target_: torch.optim.lr_scheduler.StepLR, step_size: 2, _partial_: true}",
    "model.scheduler={_target_: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts, T_0: 2, _partial_: true}",
)
WARMUP_COSINE = (
    "model.step_scheduler={_target_: deblurlab.tasks.schedules.warmup_cosine, _partial_: true, warmup: 0.3, final: 0.1}"
)
_STEP_SCHEDULERS = (
    WARMUP_COSINE,
    "model.step_scheduler={_target_: torch.optim.lr_scheduler.OneCycleLR, max_lr: 0.01, _partial_: true}",
)
_NETWORKS = (
    UNET,
    ("model=unet16", "model.network={_target_: tests.test_resume_everywhere.Dropout}"),
    ("model=nafnet", "model.network.width=4", "model.network.encoder_blocks=[1]", "model.network.decoder_blocks=[1]"),
    ("model=blind_wiener", "model.network.hidden=8", "model.network.widths=[8,16]"),
)
_OPTIMIZERS = (
    "model.optimizer={_target_: torch.optim.SGD, lr: 0.01, momentum: 0.9, _partial_: true}",
    "model.optimizer={_target_: torch.optim.AdamW, lr: 0.001, amsgrad: true, _partial_: true}",
    "model.optimizer={_target_: torch.optim.Adagrad, lr: 0.01, _partial_: true}",
)

Draw = Callable[[random.Random], Sequence[str]]


def kinds(folder: Path, cifar10: Path) -> dict[str, Draw]:
    """What draws the overrides of each kind of run: an autoencoder or a WGAN, of images, pictures or frames.

    Args:
        folder: A folder to write pictures and frames to.
        cifar10: A tiny CIFAR-10.
    """
    pictures = {kind: write_pictures(folder / kind, kind) for kind in ("photographs", "pairs", "both")}
    frames = write_reds(folder / "reds", sequences=3, frames=3, test_sequences=1)
    shards, broken = folder / "shards", folder / "broken"
    prepared(frames, shards, Settings("webp", (72, 128), True))
    shutil.copytree(frames, broken)
    for file in (broken / "train/train_blur").glob("*/00000001.png"):
        file.write_bytes(file.read_bytes()[:-100])
    kinds: dict[str, Draw] = {
        "images": lambda draw: _images(draw, cifar10),
        "pictures": lambda draw: _pictures(draw, pictures),
        "frames": lambda draw: _frames(draw, [frames, shards, broken]),
    }
    return {f"mixed settings, {name}": partial(_mix, source) for name, source in kinds.items()}


def _mix(source: Draw, draw: random.Random) -> Sequence[str]:
    task = _wgan if draw.random() < 0.4 else _autoencoder
    return (*task(draw), *source(draw), *_training(draw))


def _often(draw: random.Random, *overrides: str, share: float = 0.4) -> tuple[str, ...]:
    """One of some overrides, or none."""
    return (draw.choice(overrides),) if draw.random() < share else ()


def _training(draw: random.Random) -> tuple[str, ...]:
    limits = (
        _often(draw, "trainer.limit_train_batches=3", "trainer.limit_train_batches=0.5"),
        *(_often(draw, *(f"trainer.limit_{stage}_batches={n}" for n in (1, 2))) for stage in ("val", "test")),
    )
    return (
        f"trainer.max_epochs={draw.randint(2, 4)}",
        f"data.batch_size={draw.choice((2, 4, 6))}",
        *(one for limit in limits for one in limit),
        *_often(draw, "trainer.precision=bf16-mixed", share=0.3),
        *_often(draw, "callbacks=[default,ema]"),
        *_often(draw, "trainer.check_val_every_n_epoch=2", "trainer.val_check_interval=0.5"),
        *_often(draw, "trainer.num_sanity_val_steps=1", "monitor=val/psnr", share=0.3),
    )


def _autoencoder(draw: random.Random) -> tuple[str, ...]:
    return (
        *draw.choice(_NETWORKS),
        *_often(draw, *_SCHEDULERS, *_STEP_SCHEDULERS, share=0.6),
        *_often(draw, *_OPTIMIZERS),
        *_often(draw, "trainer.gradient_clip_val=0.01"),
        *_often(draw, "trainer.gradient_clip_algorithm=value"),
        *_often(draw, "trainer.accumulate_grad_batches=2", "trainer.accumulate_grad_batches=3"),
        *_often(draw, "model/loss=l1", "model/loss=charbonnier", "model/loss=l1_frequency"),
    )


def _wgan(draw: random.Random) -> tuple[str, ...]:
    return (
        *WGAN,
        f"model.critic_steps={draw.randint(1, 3)}",
        *_often(draw, "model.fresh_critic_batches=true"),
        *_often(draw, *_STEP_SCHEDULERS),
        *_often(draw, "model.clip_norm=0.01"),
        *_often(draw, "model.micro_batches=2"),
    )


def _images(draw: random.Random, root: Path) -> tuple[str, ...]:
    return (
        "data=cifar10",
        f"data.root={root}",
        *_often(draw, "data.fixed_blur=true"),
        *_often(draw, "data.workers=1", share=0.3),
        *_often(draw, "data.rotations=true"),
        *_often(draw, "data.crops=16", "data.crops={0:16,1:24}"),
    )


def _streamed(draw: random.Random) -> tuple[str, ...]:
    """What pictures and frames share. Crops may be turned as their sides are equal."""
    crops = _often(draw, "data.crops=16", "data.crops={0:16,1:24}")
    return (
        f"data.workers={draw.randint(1, 2)}",
        *crops,
        *(_often(draw, "data.rotations=true") if crops else ()),
        *_often(draw, "data.mixed_frames=1", "data.mixed_frames=3"),
    )


def _pictures(draw: random.Random, roots: dict[str, Path]) -> tuple[str, ...]:
    kind = draw.choice(list(roots))
    blur = draw.choice(("data.blur=gaussian", "data.blur=shake", "data.blur=both", "data/blur=camera"))
    return (
        "data=folder",
        f"data.root={roots[kind]}",
        "data.patch=[16,32]",
        "data.shake_max=5",
        blur,
        *_often(draw, "data.noise_max=5"),
        *(_often(draw, "data.pairs_share=0.5") if kind == "both" else ()),
        *_streamed(draw),
    )


def _frames(draw: random.Random, roots: Sequence[Path]) -> tuple[str, ...]:
    data = ("data=reds", "data.size=[72,128]", "data.grid=[3,2]", "data.on_error=skip")
    return (*data, f"data.root={draw.choice(roots)}", *_streamed(draw))
