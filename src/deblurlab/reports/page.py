"""The report as one HTML page that needs no other file, and as Markdown with its figures beside it."""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from matplotlib.figure import Figure
from matplotlib.text import Text

from deblurlab import __version__
from deblurlab.checks.words import counted
from deblurlab.files.whole_file import whole_file
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
# On white and on black alike, for the text among photographs, which have no ground of their own.
_GREY = "0.5"


@dataclass
class Picture:
    """A figure of the report, or the reason why there is none.

    Attributes:
        title: Its heading.
        alt: What it shows, for readers who cannot see it.
        caption: How to read it.
        drawing: The figure; None leaves a marked gap.
        missing: Which networks the figure lacks and why, or why there is no figure; empty if all is there.
        photographic: Whether it is written as WebP instead of SVG.
        file: Its path in the report's folder, once it is rendered.
        uri: Its content as a data URI, once it is rendered.
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
        title: Its heading, such as "REDS 512x288".
        finding: The score table in one sentence.
        scores: The score table.
        further: The table of scores beside those of the score table; None if no run has any.
        beside_study: Whether the study has a table of this data.
        figures: Its figures in their order.
        costs: The table of costs; None if there is no run.
    """

    title: str
    finding: str
    scores: Table
    beside_study: bool
    further: Table | None = None
    figures: Sequence[Picture] = field(default_factory=list)
    costs: Table | None = None

    @property
    def anchor(self) -> str:
        """The name by which links lead to this part, and by which its figures are called."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())


def plain_markdown(text: str) -> str:
    """Text that Markdown shows as it is, in a table too: names of folders and runs may hold its signs."""
    return re.sub(r"([\\`*|<>\[\]])", r"\\\1", " ".join(text.split()))


def write(folder: Path, *, parts: Sequence[Part], runs: Table, elsewhere: Table | None) -> None:
    """Write report.html, report.md and figures/ into ``folder``."""
    for part in parts:
        for number, picture in enumerate(part.figures, start=1):
            picture.render(folder, f"{part.anchor}-{number}")
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
        with whole_file(folder / name) as partial:
            partial.write_text(text)
