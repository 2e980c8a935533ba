"""The pages of a report, of real, tiny runs."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from deblurlab.reports import page
from deblurlab.reports.cells import Table
from deblurlab.reports.page import Illustration, Part
from tests.conftest import HANG_SECONDS, Call
from tests.reports.made_up import made_up

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.fixture
def report(call: Call, tmp_path: Path, tiny_cifar10: Path, tiny_reds: Path) -> Path:
    few = ("trainer=cpu", "trainer.max_epochs=1", "data.batch_size=4", "trainer.limit_train_batches=2")
    small = ("model.network.widths=[4,8]",)
    call("train", "data=cifar10", f"data.root={tiny_cifar10}", "model=unet16", *few, *small, "run=runs/unet16")
    call("train", "data=cifar10", f"data.root={tiny_cifar10}", "model=resnet16", *few, "run=runs/resnet16")
    (tmp_path / "runs/resnet16/metrics.json").unlink()  # as before its test
    (tmp_path / "runs/resnet16/per_image.csv").unlink()
    frames = (f"data.root={tiny_reds}", "data.size=[72,128]")
    call("train", "data=reds", *frames, "model=unet16", *few, *small, "run=runs/frames")
    call("report", "runs=runs", "output=report")
    return tmp_path / "report"


def test_the_page_needs_no_other_file(report: Path) -> None:
    html, markdown = ((report / f"report.{form}").read_text() for form in ("html", "md"))
    parser = Links()
    parser.feed(html)
    assert len([link for link in parser.links if link.startswith("data:image/")]) >= 7
    assert [link for link in parser.links if not link.startswith(("data:image/", "#"))] == []
    assert "@import" not in html
    assert "url(" not in html
    result = json.loads((report.parent / "runs/unet16/metrics.json").read_text())["restored"]
    for text in (html, markdown):
        assert f"{result['ssim']:.4f}" in text
        assert f"{result['mse'] * 1e3:.3f}" in text
        assert "REDS 128x72" in text
        assert "unfinished: epoch 1 of 1" in text
        assert "Missing for lack of per-image scores" in text
    sections = dict(zip(*[iter(re.split(r"^## (.*)$", markdown, flags=re.MULTILINE)[1:])] * 2, strict=True))
    marked = [title for title, section in sections.items() if "In each frame, the two regions are marked" in section]
    assert marked == ["REDS 128x72"]  # small images have none
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", markdown)
    assert len(pictures) == len([link for link in parser.links if link.startswith("data:image/")])
    assert all((report / picture).stat().st_size > 1000 for picture in pictures)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at the page with")
def test_a_browser_shows_and_prints_it(report: Path) -> None:
    assert CHROMIUM is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,6000"]
    page = (report / "report.html").as_uri()
    for made in (f"--screenshot={report}/page.png", f"--print-to-pdf={report}/page.pdf"):
        subprocess.run([CHROMIUM, *options, made, page], check=True, capture_output=True, timeout=HANG_SECONDS)
    pixels = np.asarray(Image.open(report / "page.png").convert("RGB"))
    gaps = (pixels == (0xF8, 0xEB, 0xC0)).all(axis=-1)
    assert gaps.sum() > 1000
    inked = (pixels < 200).any(axis=-1).any(axis=1)
    assert inked.sum() > 1500  # rows that something stands in
    assert (report / "page.pdf").read_bytes().count(b"/Type /Page\n") >= 3


def test_data_that_is_gone_leaves_a_gap(call: Call, tmp_path: Path) -> None:
    made_up(tmp_path / "run", ssim=0.8, data={"_target_": "deblurlab.data.CIFAR10", "sigma_range": [0, 3],
                                               "fixed_blur": False, "seed": 0, "workers": 0})  # fmt: skip
    shutil.copytree(tmp_path / "run", tmp_path / "other")
    with pytest.raises(SystemExit, match=r"data\.root is one folder; .* are 'roots=\{cifar10:elsewhere\}'"):
        call("report", "runs=[run,other]", "data.root={cifar10:elsewhere}")
    call("report", "runs=[run,other]", f"roots={{cifar10:{tmp_path}}}")
    text = (tmp_path / "outputs/report/report.md").read_text()
    assert "('roots={cifar10:FOLDER}' names the present folder of the data.)" in text
    assert "0.8000" in text


def test_parts_of_similar_titles_have_figures_of_their_own(tmp_path: Path) -> None:
    titles = ["Pictures in Mine 1", "Pictures in mine-1", "Pictures in mine-2"]
    table = Table([""], [])
    parts = []
    for number, title in enumerate(titles):
        drawing = Figure()
        drawing.text(0.5, 0.5, f"drawing {number}")
        parts.append(Part(title, "", table, False, figures=[Illustration("", "", "", drawing)]))
    page.write(tmp_path, parts=parts, runs=table, elsewhere=None)
    files = [figure.file for part in parts for figure in part.figures]
    assert files[0] == "figures/pictures-in-mine-1-1.svg"
    assert [f"drawing {number}" in (tmp_path / file).read_text() for number, file in enumerate(files)] == 3 * [True]
    assert len(set(re.findall(r'id="(pictures-[^"]+)"', (tmp_path / "report.html").read_text()))) == 3


def test_a_report_goes_to_a_folder(call: Call, tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8)
    with pytest.raises(SystemExit, match=r"output=out\.pdf: name a folder"):
        call("report", "runs=a", "output=out.pdf")


def test_the_studys_numbers_and_the_runs_are_read_without_torch() -> None:
    code = "import sys, deblurlab.reports.study, deblurlab.reports.groups; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
