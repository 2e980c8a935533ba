"""What a run's folder does not tell: how its network restores the test images of the report, and what it costs."""

import copy
import logging
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from omegaconf import DictConfig
from torch import Tensor

from deblurlab.app import build
from deblurlab.interfaces import Evaluable, Pair
from deblurlab.reports.groups import Group
from deblurlab.run import figures, trusted
from deblurlab.run.cost import Size, measure_size

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pictures:
    """The same test images as every network restores them.

    Attributes:
        columns: Titles to images, (N, 3, H, W): "Blurred", the label of each group, broken into lines, and "Sharp".
        captions: Titles to one line per image: its SSIM and PSNR; for the blurred images also sigma, where known.
        frames: Whether these are whole frames, which networks take patch by patch.
    """

    columns: Mapping[str, Tensor]
    captions: Mapping[str, Sequence[str]]
    frames: bool


@dataclass(frozen=True)
class Measured:
    """What the networks of one table restore and cost. Groups without a checkpoint are in none of the three.

    Attributes:
        pictures: The images of the networks that could be read.
        sizes: The labels of their groups to what they cost.
        failures: The labels of the other groups to the reason why their network could not be read.
    """

    pictures: Pictures
    sizes: Mapping[str, Size]
    failures: Mapping[str, str]


def measure_networks(groups: Sequence[Group], *, root: str | None, images: int, trust: Sequence[str]) -> Measured:
    """Restore some test images with each group's network, in float32 on the CPU.

    Args:
        groups: The groups of one table. The data is the one of the first group whose configuration may be built.
        root: The folder where the data lies now; None for where it lay in training.
        images: How many images to restore. Where the data tells the strength of their blur, they are spread over it.
        trust: Packages that the runs' configurations may name.

    Raises:
        UntrustedError: If no group's configuration may be built.
        ValueError: If the data is not there.
        OSError: If the data cannot be read.
    """
    allowed, failures = _allowed(groups, trust=trust)
    if not allowed:
        raise trusted.UntrustedError(" ".join(failures.values()))
    pair, captions_of_blur = _test_images(allowed[0].representative.config, root=root, images=images)
    restored: dict[str, Tensor] = {}
    sizes: dict[str, Size] = {}
    for group in allowed:
        run = group.representative
        if run.checkpoint is None:
            continue
        log.info(f"{group.label}: {run.checkpoint}")
        try:
            task = build.trained(run.config, run.checkpoint, trust=trust, source=run.source).eval()
            size = measure_size(task, pair)
            with torch.inference_mode():
                images_restored = task.restore_whole(pair)
        except Exception as error:  # the package of this run's network may be gone: the others are still shown
            failures[group.label] = str(error).splitlines()[0]
            log.warning(f"{group.label}: {failures[group.label]}")
            continue
        sizes[group.label], restored[group.label] = size, images_restored
    columns = {"Blurred": pair.blurred} | {_in_lines(label): images for label, images in restored.items()}
    captions = {title: figures.captions(images, pair.sharp) for title, images in columns.items()}
    captions["Blurred"] = [f"{blur}{line}" for blur, line in zip(captions_of_blur, captions["Blurred"], strict=True)]
    pictures = Pictures(columns | {"Sharp": pair.sharp}, captions, frames=pair.grid != (1, 1))
    return Measured(pictures, sizes, failures)


def _allowed(groups: Sequence[Group], *, trust: Sequence[str]) -> tuple[list[Group], dict[str, str]]:
    """The groups whose configurations may be built, and the labels of the others to the reason why not."""
    allowed, refused = [], {}
    for group in groups:
        run = group.representative
        try:
            trusted.check(run.config, trust=trust, source=str(run.source))
            allowed.append(group)
        except trusted.UntrustedError as error:
            refused[group.label] = str(error)
            log.warning(f"{group.label}: {error}")
    return allowed, refused


def _test_images(config: DictConfig, *, root: str | None, images: int) -> tuple[Pair, list[str]]:
    """Some test images of a run's data, and what the captions say of the blur of each, if anything is known."""
    if root is not None and "root" in config.data:
        config = copy.deepcopy(config)
        config.data.root = root
    data = build.data(config)
    assert isinstance(data, Evaluable)
    labels = data.labels("test")
    sigma = labels.get("sigma")
    rows = _spread_rows(sigma, count=len(next(iter(labels.values()))), wanted=images)
    return data.examples("test", rows), [f"σ {sigma[row]:.1f}: " if sigma is not None else "" for row in rows]


def _spread_rows(sigma: Sequence[float] | None, *, count: int, wanted: int) -> list[int]:
    """The indices of ``wanted`` of ``count`` images, spread evenly over their blur, or over the split without one.

    They are the same in each report.
    """
    rows = torch.linspace(0, count - 1, min(wanted, count)).long()
    if sigma is None:
        return [int(row) for row in rows]
    order = torch.tensor(sigma).argsort()
    # The tenth of the images with the least blur is left out: they look sharp.
    return list(dict.fromkeys(int(order[count // 10 + int(row) * 9 // 10]) for row in rows))


def _in_lines(label: str) -> str:
    """Break a label into lines: long ones would run into each other above the columns."""
    parts = label.replace(" (", "\n(").replace(", ", ",\n").splitlines()
    return "\n".join(textwrap.fill(part, 22) for part in parts)
