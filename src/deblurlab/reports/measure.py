"""What a folder does not tell: the networks restore the same images again, and are counted."""

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from deblurlab.app import build, trusted
from deblurlab.interfaces import Evaluable, Pair
from deblurlab.metrics.image import psnr, ssim
from deblurlab.reports.collect import Group
from deblurlab.tasks.restoration import Restoration

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pictures:
    """The same test images as every network restores them.

    Attributes:
        columns: "Blurred", a label (in lines) for each group, "Sharp" to (N, 3, H, W).
        captions: title to a line for each image: SSIM and PSNR; the blurred ones' say sigma, too, where known.
        frames: whether these are whole frames, which networks take patch by patch.
    """

    columns: Mapping[str, Tensor]
    captions: Mapping[str, Sequence[str]]
    frames: bool


@dataclass(frozen=True)
class Size:
    """What a network costs to use.

    Attributes:
        parameters: trainable numbers of the network; a critic's are not among them.
        flops: floating point operations for one image, a multiply-add as two.
    """

    parameters: int
    flops: int


@dataclass(frozen=True)
class Measured:
    """What a table's networks give; those without a checkpoint are in none of the three.

    Attributes:
        pictures: of the networks that could be read.
        sizes: their labels to what they cost.
        failures: labels of the others to the reason.
    """

    pictures: Pictures
    sizes: Mapping[str, Size]
    failures: Mapping[str, str]


def measure(groups: Sequence[Group], *, root: str | None, images: int, trust: Sequence[str]) -> Measured:
    """Restore some test images with each group's network, in float32 on the CPU.

    Args:
        groups: of one table; the first one's configuration that may be built names the data.
        root: where the data lies now; None for where it lay in training.
        images: how many, over the range of blur where the data tells it.
        trust: packages that the runs' configurations may name.

    Raises:
        UntrustedError: if no group's configuration may be built.
        ValueError: if the data is not there.
        OSError: likewise.
    """
    failures: dict[str, str] = {}
    allowed: list[Group] = []
    for group in groups:
        run = group.representative
        try:
            trusted.check(run.config, trust=trust, source=str(run.source))
            allowed.append(group)
        except trusted.UntrustedError as error:
            failures[group.label] = str(error)
            log.warning(f"{group.label}: {error}")
    if not allowed:
        raise trusted.UntrustedError(" ".join(failures.values()))
    config = allowed[0].representative.config
    if root is not None and "root" in config.data:
        config = copy.deepcopy(config)
        config.data.root = root
    data = build.data(config)
    assert isinstance(data, Evaluable)
    labels = data.labels("test")
    rows = _spread(labels.get("sigma"), len(next(iter(labels.values()))), images)
    pair = data.examples("test", rows)
    restored: dict[str, Tensor] = {}
    sizes: dict[str, Size] = {}
    for group in allowed:
        if (checkpoint := group.representative.checkpoint) is None:
            continue
        log.info(f"{group.label}: {checkpoint}")
        try:
            run = group.representative
            task = build.trained(run.config, checkpoint, trust=trust, source=run.source)
            size = _size(task.eval(), pair)
            with torch.inference_mode():
                images_restored = task.restore_whole(pair)
        except Exception as error:  # of one run, whose network's package may be gone: the others are shown
            failures[group.label] = str(error).splitlines()[0]
            log.warning(f"{group.label}: {failures[group.label]}")
            continue
        sizes[group.label], restored[group.label] = size, images_restored
    columns = {"Blurred": pair.blurred} | {_in_lines(label): images for label, images in restored.items()}
    captions = {title: _scores(images, pair.sharp) for title, images in columns.items()}
    if "sigma" in labels:
        lines = zip(rows, captions["Blurred"], strict=True)
        captions["Blurred"] = [f"σ {labels['sigma'][row]:.1f}: {line}" for row, line in lines]
    pictures = Pictures(columns | {"Sharp": pair.sharp}, captions, frames=pair.grid != (1, 1))
    return Measured(pictures, sizes, failures)


def _in_lines(label: str) -> str:
    """Long labels would run into each other above the columns."""
    return label.replace(" (", "\n(").replace(", ", ",\n")


def _spread(sigma: Sequence[float] | None, count: int, wanted: int) -> list[int]:
    """Rows evenly spread over the blur, or over the split; always the same ones."""
    rows = torch.linspace(0, count - 1, min(wanted, count)).long()
    if sigma is None:
        return [int(row) for row in rows]
    order = torch.tensor(sigma).argsort()
    # from a tenth of the images upwards: the ones before are as good as sharp
    return list(dict.fromkeys(int(order[count // 10 + int(row) * 9 // 10]) for row in rows))


def _scores(images: Tensor, sharp: Tensor) -> list[str]:
    pairs = zip(ssim(images, sharp).tolist(), psnr(images, sharp).tolist(), strict=True)
    return [f"SSIM {one:.3f}, {other:.1f} dB" for one, other in pairs]


def _size(task: Restoration, pair: Pair) -> Size:
    one = Pair(pair.blurred[:1], pair.sharp[:1], pair.valid[:1], pair.grid)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        task.restore_whole(one)
    parameters = sum(parameter.numel() for parameter in task.network.parameters() if parameter.requires_grad)
    return Size(parameters, counter.get_total_flops())
