"""Writes the report as one self-contained HTML page, and as Markdown with separate figures."""

import base64
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from matplotlib.figure import Figure
from matplotlib.text import Text

from deblurlab import __version__
from deblurlab.checks.words import counted
from deblurlab.files.whole_file import whole_file, write_whole
from deblurlab.reports.cells import Table

READING = (
    "Scores are per image, in float32, on images clamped to [0, 1], then averaged: SSIM with an 11x11 Gaussian window, "
    "PSNR over the images whose error is not zero, the loss of the unclamped output. The best score of each column is "
    "bold; ± is the standard deviation over seeds."
)
READING_BESIDE_THE_STUDY = (
    " Study: M. Orlandi, G. Pinardi, “Application of Deep Learning on Image Deblurring”, whose loss is LogCosh; its "
    "best scores are bold apart from ours."
)
# The colour of text among photographs. These figures are transparent, so it must be legible on white and on black.
_GREY = "0.5"


@dataclass
class Illustration:
    """A figure of the report, or the reason why there is none.

    Attributes:
        title: The heading.
        alt: A description for readers who cannot see the figure.
        caption: An explanation of how to read the figure.
        drawing: The figure; None leaves a marked gap.
        missing: The networks that the figure lacks and why, or why there is no figure; empty if it is complete.
        photographic: Whether it is written as WebP instead of SVG.
        file: The path in the report's folder, after rendering.
        uri: The content as a data URI, after rendering.
    """

    title: str
    alt: str
    caption: str
    drawing: Figure | None
    missing: str = ""
    photographic: bool = False
    file: str = ""
    uri: str = ""

    def render(self, folder: Path, name: str) -> None:
        """Write the figure into ``folder/figures``, and keep its content as a data URI for the HTML page."""
        if self.drawing is None:
            return
        form, kind = ("webp", "image/webp") if self.photographic else ("svg", "image/svg+xml")
        with io.BytesIO() as stream:
            if self.photographic:
                for text in self.drawing.findobj(Text):
                    text.set_color(_GREY)
                self.drawing.savefig(stream, format=form, dpi=110, transparent=True, pil_kwargs={"quality": 92})
            else:
                self.drawing.savefig(stream, format=form, transparent=True, metadata={"Date": None})
            content = stream.getvalue()
        self.file = f"figures/{name}.{form}"
        with whole_file(folder / self.file) as partial:
            partial.write_bytes(content)
        self.uri = f"data:{kind};base64,{base64.b64encode(content).decode()}"


@dataclass
class Part:
    """The report's part of one data set.

    Attributes:
        title: The heading, such as "REDS 512x288".
        finding: A summary of the score table in one sentence.
        scores: The score table.
        further: The table of further scores; None if no run has any.
        beside_study: Whether the study has a table for this data.
        figures: The figures, in order.
        costs: The table of costs; None if there is no run.
        anchor: The name of this part in links and in the file names of its figures, after rendering.
    """

    title: str
    finding: str
    scores: Table
    beside_study: bool
    further: Table | None = None
    figures: Sequence[Illustration] = field(default_factory=list)
    costs: Table | None = None
    anchor: str = ""


def name_parts(parts: Sequence[Part]) -> None:
    """Give each part its anchor: its title in small letters, with a number if another part already has that name."""
    taken = Counter[str]()
    for part in parts:
        plain = "".join(letter if letter.isalnum() else "-" for letter in part.title.lower())
        taken[plain] += 1
        part.anchor = plain if taken[plain] == 1 else f"{plain}_{taken[plain]}"


def plain_markdown(text: str) -> str:
    """Escape text for Markdown, in a table too: names of folders and runs may contain its special characters."""
    return re.sub(r"([\\`*|<>\[\]])", r"\\\1", " ".join(text.split()))


def write(folder: Path, *, parts: Sequence[Part], runs: Table, elsewhere: Table | None) -> None:
    """Write report.html, report.md and figures/ into ``folder``."""
    name_parts(parts)
    for part in parts:
        for number, illustration in enumerate(part.figures, start=1):
            illustration.render(folder, f"{part.anchor}-{number}")
    environment = Environment(
        loader=PackageLoader("deblurlab.reports"),
        autoescape=select_autoescape(["html.jinja"]),
        undefined=StrictUndefined,
    )
    environment.filters["plain"] = plain_markdown
    beside_study = any(part.beside_study for part in parts)
    count = counted(sum(map(len, runs.sections)), "run")
    made = datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z")
    for name in ("report.html", "report.md"):
        text = environment.get_template(f"{name}.jinja").render(
            title="Image deblurring: our runs beside the study" if beside_study else f"Image deblurring: {count}",
            subtitle=f"deblurlab {__version__}, {made}",
            parts=parts,
            runs=runs,
            elsewhere=elsewhere,
            reading=READING + (READING_BESIDE_THE_STUDY if beside_study else ""),
        )
        write_whole(folder / name, text)
