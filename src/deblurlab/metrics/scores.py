"""The table of scores: one row per score. Logs, files, tables, plots and monitors are derived from it.

To add a score, write a function in a file of this folder and add a row here. Commands read this table before they need
torch, so a row names its function instead of importing it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Score:
    """One row of the table.

    Attributes:
        name: The score's key: ``val/NAME`` in logs, ``NAME`` in metrics.json, ``restored_NAME`` in per_image.csv.
        title: The score's title in tables and plots.
        unit: The unit of the numbers in tables, such as ``dB``; empty for a plain number.
        factor: Tables show values multiplied by this; logs and files hold plain values.
        digits: The number of decimals in tables.
        best: Whether the best value is the highest or the lowest one.
        function: The path of the function that takes restored and sharp images, two (B, 3, H, W) batches in about
            [0, 1], and returns one value per image, (B,). None stands for the content loss of the run's own task.
        may_be_infinite: Whether the value of an image can be infinite. Such images are left out of the mean and
            counted as ``infinite_NAME``.
        headline: Whether the score is shown where there is room for a few only: in the log line of each epoch, in plots
            over epochs, and in the printed table of a sweep.
    """

    name: str
    title: str
    unit: str = ""
    factor: float = 1.0
    digits: int
    best: Literal["max", "min"]
    function: str | None
    may_be_infinite: bool = False
    headline: bool = False

    @property
    def is_loss(self) -> bool:
        """Whether this is the run's own content loss. Runs with different losses cannot be compared by it."""
        return self.function is None

    @property
    def heading(self) -> str:
        """The heading of a table's column, such as ``Loss [1e-4]``."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title

    @property
    def axis_label(self) -> str:
        """The label of a plot's axis, which shows plain values."""
        return self.heading if self.factor == 1 else self.title

    def in_table(self, value: float) -> str:
        """A value as tables show it: multiplied by ``factor`` and rounded.

        A value of 1 or more, such as a loss in dB, needs no factor, and a unit of its own says so: ``-22.434 [1]``.
        """
        if self.factor != 1 and abs(value) >= 1:
            return f"{value:.{self.digits}f} [1]"
        return f"{value * self.factor:.{self.digits}f}"

    def plain(self, value: float) -> str:
        """A value by itself, in plain units: ``0.9123``, or ``1.234e-04`` where tables need a factor."""
        return f"{value:.{self.digits}{'f' if self.factor == 1 else 'e'}}"


SCORES = (
    Score(name="loss", title="Loss", unit="1e-4", factor=1e4, digits=3, best="min", function=None, headline=True),
    Score(name="ssim", title="SSIM", digits=4, best="max", function="deblurlab.metrics.image.ssim", headline=True),
    Score(
        name="psnr",
        title="PSNR",
        unit="dB",
        digits=2,
        best="max",
        function="deblurlab.metrics.image.psnr",
        may_be_infinite=True,
        headline=True,
    ),
    Score(
        name="mse", title="MSE", unit="1e-3", factor=1e3, digits=3, best="min", function="deblurlab.metrics.image.mse"
    ),
    Score(
        name="mae", title="MAE", unit="1e-2", factor=1e2, digits=3, best="min", function="deblurlab.metrics.image.mae"
    ),
)
HEADLINE_SCORES = tuple(score for score in SCORES if score.headline)
COMPARED_SCORES = tuple(score for score in HEADLINE_SCORES if not score.is_loss)  # runs may have different losses
# Further scores that a test can compute, and what each of them downloads. Lower is better.
PERCEPTUAL = {"lpips": "AlexNet, 233 MB", "dists": "VGG16, 528 MB"}
# Further scores that align each restored image first; higher is better.
ALIGNED = ("aligned_psnr", "aligned_ssim")


def count_of_infinite(name: str) -> str:
    """The name of the number of images that the mean of a score leaves out, since their values are infinite."""
    return f"infinite_{name}"


COUNTS_OF_INFINITE = {score.name: count_of_infinite(score.name) for score in SCORES if score.may_be_infinite}


def without_zero_counts(means: Mapping[str, Value]) -> dict[str, Value]:
    """Leave out the counts of infinite values of further scores that are 0: hardly any of those is ever infinite."""
    counts = {count_of_infinite(name) for name in means} - set(COUNTS_OF_INFINITE.values())
    return {name: value for name, value in means.items() if name not in counts or value}


def further_scores(names: Iterable[str]) -> list[str]:
    """Which of the names in metrics.json are neither scores of the table nor counts: the test's further scores."""
    names = list(names)
    known = {*(score.name for score in SCORES), *COUNTS_OF_INFINITE.values(), *map(count_of_infinite, names)}
    return [name for name in names if name not in known]


def heading(name: str) -> str:
    """The heading of a score that is not in the table, and may be a user's own."""
    return f"{name} (lower is better)" if name in PERCEPTUAL else name


def best_is(monitor: str) -> Literal["max", "min"]:
    """Whether the best value of a monitored metric, such as ``val/ssim``, is its highest or its lowest.

    Raises:
        ValueError: If validation logs no such score.
    """
    directions = {f"val/{score.name}": score.best for score in SCORES}
    if monitor not in directions:
        raise ValueError(f"monitor={monitor}: choose one of {', '.join(directions)}.")
    return directions[monitor]
