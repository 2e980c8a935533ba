"""Restores the test images of the report with each run's network, and measures the size of the networks."""

import copy
import logging
import textwrap
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from omegaconf import DictConfig
from torch import Tensor

from deblurlab.app import build
from deblurlab.interfaces import Evaluable, Pair
from deblurlab.reports.groups import Group
from deblurlab.reports.reported_run import ReportedRun
from deblurlab.run import figures, trusted
from deblurlab.run.cost import Size, measure_size

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pictures:
    """The same test images, restored by every network.

    Attributes:
        columns: Images, (N, 3, H, W), by title: "Blurred", the label of each group, broken into lines, and "Sharp".
        captions: One caption per image by the same titles: SSIM and PSNR; for blurred images also sigma, if known.
        frames: Whether they are drawn with enlarged regions, as frames are.
    """

    columns: Mapping[str, Tensor]
    captions: Mapping[str, Sequence[str]]
    frames: bool


@dataclass(frozen=True)
class Measured:
    """The images and sizes of the networks of one table. Groups without a checkpoint are in none of the three.

    Attributes:
        pictures: The images of the networks that could be read.
        sizes: The sizes of these networks, by the labels of their groups.
        failures: Sentences that say which of the other networks could not be read, and why.
    """

    pictures: Pictures
    sizes: Mapping[str, Size]
    failures: Sequence[str]


def measure_networks(groups: Sequence[Group], *, root: str | None, images: int, trust: Sequence[str]) -> Measured:
    """Restore some test images with each group's network, in float32 on the CPU.

    Args:
        groups: The groups of one table. The data set is that of the first group whose configuration is trusted.
        root: The present folder of the data; None if it is the same as in training.
        images: The number of images to restore. If the strength of their blur is known, they are spread over it.
        trust: Names of packages that the runs' configurations may name.

    Raises:
        UntrustedError: If no group's configuration is trusted.
        ValueError: If the data is missing.
        OSError: If the data cannot be read.
    """
    allowed, failures = _allowed(groups, trust=trust)
    if not allowed:
        raise trusted.UntrustedError(" ".join(failures))
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
        except Exception as error:  # a network's package may be missing; the other networks are still shown
            failures.append(f"{group.label}: {str(error).splitlines()[0].removesuffix('.')}.")
            continue
        sizes[group.label], restored[group.label] = size, images_restored
    for failure in failures:
        log.warning(failure)
    columns = {"Blurred": pair.blurred} | {_in_lines(label): images for label, images in restored.items()}
    captions = {title: figures.captions(images, pair.sharp) for title, images in columns.items()}
    captions["Blurred"] = [f"{blur}{line}" for blur, line in zip(captions_of_blur, captions["Blurred"], strict=True)]
    pictures = Pictures(columns | {"Sharp": pair.sharp}, captions, frames=figures.needs_enlarging(pair))
    return Measured(pictures, sizes, failures)


def _allowed(groups: Sequence[Group], *, trust: Sequence[str]) -> tuple[list[Group], list[str]]:
    """The groups whose configurations are trusted, and one sentence for each reason against others.

    The reason is the same for all runs of a network of one's own, of which a sweep has many.
    """
    allowed: list[Group] = []
    refused: defaultdict[str, list[ReportedRun]] = defaultdict(list)
    for group in groups:
        run = group.representative
        try:
            trusted.check(run.config, trust=trust, source=str(run.source))
            allowed.append(group)
        except trusted.UntrustedError as error:
            refused[str(error).removeprefix(f"{run.source}: ")] += group.runs
    return allowed, [
        f"{f'{len(runs)} runs, such as ' * (len(runs) > 1)}{runs[0].source}: {reason}"
        for reason, runs in refused.items()
    ]


def _test_images(config: DictConfig, *, root: str | None, images: int) -> tuple[Pair, list[str]]:
    """Some test images of a run's data, and for each the beginning of its caption: the sigma of its blur if known."""
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
    """Choose ``wanted`` of ``count`` images, spread evenly over their sigma, or over the split if there is none.

    The choice is the same in each report.
    """
    rows = torch.linspace(0, count - 1, min(wanted, count)).long()
    if sigma is None:
        return [int(row) for row in rows]
    order = torch.tensor(sigma).argsort()
    # The tenth of the images with the least blur is left out: they look sharp.
    return list(dict.fromkeys(int(order[count // 10 + int(row) * 9 // 10]) for row in rows))


def _in_lines(label: str) -> str:
    """Break a label into lines: long ones would overlap above the columns."""
    parts = label.replace(" (", "\n(").replace(", ", ",\n").splitlines()
    return "\n".join(textwrap.fill(part, 22) for part in parts)
