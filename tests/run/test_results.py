import csv
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer
from PIL import Image
from torch import Tensor, nn

from deblurlab.callbacks import PerImage
from deblurlab.callbacks.progress import duration
from deblurlab.data import Sample
from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh
from deblurlab.metrics.scores import SCORES, further_scores
from deblurlab.restoring.restorer import Restorer
from deblurlab.run import figures, results
from deblurlab.run.extremes import draw_extremes
from deblurlab.run.history import read_history
from deblurlab.run.printed_result import print_result
from deblurlab.run.results import summary
from deblurlab.run.run_folder import RunFolder
from deblurlab.tasks.restoration import Restoration


class Brighten(nn.Module):
    """So that restored scores differ from blurred ones."""

    def forward(self, blurred: Tensor) -> Tensor:
        return (blurred + 0.1).clamp(0, 1)


def _test(task: Restoration) -> dict[str, float]:
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False, limit_test_batches=2
    )
    trainer.test(task, datamodule=Sample(batch_size=16, sigma_range=(1.0, 3.0)), verbose=False)
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def test_a_network_that_does_nothing_scores_as_the_baseline() -> None:
    result = results.summary(_test(Restoration(nn.Identity(), LogCosh())), data="sample", split="test")
    assert result["images"] == 32
    assert result["restored"] == result["blurred"]


def test_restored_and_blurred_are_told_apart() -> None:
    result = results.summary(_test(Restoration(Brighten(), LogCosh())), data="sample", split="test")
    assert result["restored"]["mae"] > 2 * result["blurred"]["mae"]


def test_extremes_are_the_images_that_gain_and_lose_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    data = Sample(batch_size=16, sigma_range=(1.0, 3.0))
    examples = data.examples
    monkeypatch.setattr(data, "examples", lambda split, rows: shown.extend(rows) or examples(split, rows))
    gains = torch.linspace(-1, 1, 9)[torch.tensor([3, 8, 0, 5, 7, 1, 4, 2, 6])]
    scores = {
        "restored_ssim": gains.tolist(),
        "blurred_ssim": [0.0] * 9,
        "restored_psnr": [0.0] * 9,
        "blurred_psnr": [0.0] * 9,
    }
    draw_extremes(scores, lambda _, pair: pair.blurred, data, tmp_path / "panel.png")
    assert shown[:2] == [1, 4]
    assert shown[-2:] == [5, 2]
    with Image.open(tmp_path / "panel.png") as picture:
        assert picture.width > 300


@pytest.mark.parametrize(("side", "enlarged"), [(96, False), (256, True)])
def test_extremes_of_large_images_have_enlarged_regions(
    side: int, enlarged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Data:
        def examples(self, split: str, rows: list[int]) -> Pair:
            images = torch.rand(len(rows), 3, side, side)
            return Pair(images, images, torch.ones(len(rows), dtype=torch.bool))

        def labels(self, split: str) -> dict[str, list[str]]:
            return {}

    drawn: list[object] = []
    frame_panel = figures.frame_panel
    monkeypatch.setattr(figures, "frame_panel", lambda *args, **kw: drawn.append(args) or frame_panel(*args, **kw))
    scores = {f"{version}_{name}": [0.5] for version in ("restored", "blurred") for name in ("ssim", "psnr")}
    draw_extremes(scores, lambda _, pair: pair.blurred, Data(), tmp_path / "panel.png")
    assert bool(drawn) is enlarged
    assert (tmp_path / "panel.png").is_file()


def test_panel_shows_the_pixels(tmp_path: Path) -> None:
    red = torch.zeros(2, 3, 8, 8)
    red[:, 0] = 2.0  # clamped
    figures.save(figures.panel({"Red": red, "Black": torch.zeros(2, 3, 8, 8)}), tmp_path / "panel.png")
    with Image.open(tmp_path / "panel.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert {(255, 0, 0), (0, 0, 0)} <= colours


def test_per_image_rows(tmp_path: Path) -> None:
    scores = {"restored_ssim": [0.5, 0.75]}
    results.write_per_image(scores, {"sigma": [1.0, 2.0, 3.0]}, tmp_path / "metrics.csv")
    with (tmp_path / "metrics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [
        {"image": "0", "sigma": "1.0", "restored_ssim": "0.5"},
        {"image": "1", "sigma": "2.0", "restored_ssim": "0.75"},
    ]


class Guess(Brighten):
    """Takes every image's blur for that of 2 pixels."""

    def estimate_sigma(self, blurred: Tensor) -> Tensor:
        return torch.full((len(blurred),), 2.0)


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_estimate_of_the_blur_is_compared_with_the_truth(
    wrapped: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = Restorer(Guess()) if wrapped else Guess()
    data, collected = Sample(batch_size=16, sigma_range=(1.0, 3.0)), PerImage()
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar"), False)
    trainer = Trainer(accelerator="cpu", callbacks=[collected], limit_test_batches=2, **quiet)
    trainer.test(Restoration(network, LogCosh()), datamodule=data, verbose=False)
    labels, metrics = data.labels("test"), trainer.callback_metrics
    folder = RunFolder(tmp_path)
    result = results.write_test(folder, data="sample", metrics=metrics, per_image=collected.scores, labels=labels)
    assert result["sigma_error"] == pytest.approx(sum(abs(sigma - 2) for sigma in labels["sigma"][:32]) / 32)
    assert results.read_scores(folder.scores_file) == result
    table = results.read_per_image(folder.per_image_file)
    assert table["estimated_sigma"] == [2.0] * 32
    print_result(result, model="mine", precision="32-true")
    assert f"is off by {result['sigma_error']:.3f} pixels on average" in capsys.readouterr().out


def test_names_that_look_like_numbers_stay_names(tmp_path: Path) -> None:
    labels = {
        "frame": ["9", "10"],
        "clip": ["09", "10"],
        "take": ["1_000", "2"],
        "lens": ["1e3", "nan"],
        "label": [3, 10],
        "angle": [0.5, 1e-9],
    }
    results.write_per_image({"restored_ssim": [1, 0.5]}, labels, tmp_path / "per_image.csv")
    table = results.read_per_image(tmp_path / "per_image.csv")
    assert table == {"image": [0, 1], **labels, "restored_ssim": [1.0, 0.5]}


@pytest.mark.parametrize(
    ("loss", "ssim", "psnr", "warned"),
    [(0.6, 0.4, 19, True), (0.6, 0.4, 21, False), (0.6, 0.6, 19, False), (0.4, 0.4, 19, False)],
)
def test_a_network_that_makes_the_images_worse_is_told(
    loss: float, ssim: float, psnr: float, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = dict.fromkeys((score.name for score in SCORES), 0.5) | {"ssim": 0.5, "psnr": 20, "infinite_psnr": 0}
    result = {"data": "sample", "split": "test", "images": 2, "blurred": scores}
    result["restored"] = scores | {"loss": loss, "ssim": ssim, "psnr": psnr}
    print_result(result, model="mine", precision="32-true")
    assert ("the network makes the images worse: it needs more training" in capsys.readouterr().out) == warned
    print_result(result, model="made", precision="stored pictures", stored=True)
    printed = capsys.readouterr().out
    assert "network" not in printed
    assert ("the pictures are worse than the blurred ones" in printed) == warned


def test_images_without_error_are_named_under_the_printed_table(capsys: pytest.CaptureFixture[str]) -> None:
    scores = dict.fromkeys((score.name for score in SCORES), 0.5)
    result = {"data": "sample", "split": "test", "images": 1500}
    result |= {"restored": scores | {"infinite_psnr": 0}, "blurred": scores | {"infinite_psnr": 2}}
    print_result(result, model="mine", precision="32-true")
    printed = capsys.readouterr().out
    assert "sample, test set, 1,500 images" in printed
    assert "PSNR leaves out images without any error: 0 restored, 2 blurred." in printed
    result["blurred"]["infinite_psnr"] = 0
    print_result(result, model="mine", precision="32-true")
    assert "leaves out" not in capsys.readouterr().out


def test_images_that_a_further_score_leaves_out_are_counted_where_there_are_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = {"aligned_psnr": 30.0, "infinite_aligned_psnr": 2, "mine": 0.1}
    table = dict.fromkeys((score.name for score in SCORES), 0.5) | {"infinite_psnr": 0, "images": 5}
    logged = {
        f"test/{version}/{name}": value for version in ("restored", "blurred") for name, value in (table | own).items()
    }
    result = summary(logged, data="sample", split="test")
    for version in ("restored", "blurred"):
        assert further_scores(result[version]) == ["aligned_psnr", "mine"]
        assert result[version]["infinite_aligned_psnr"] == 2
    print_result(result, model="mine", precision="32-true")
    printed = capsys.readouterr().out
    assert "aligned_psnr leaves out images without any error: 2 restored, 2 blurred." in printed
    assert "mine leaves out" not in printed


def test_history_leaves_gaps_out(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,val/ssim\n1,0.5\n2,\n")
    assert read_history(tmp_path / "metrics.csv") == [{"epoch": 1.0, "val/ssim": 0.5}, {"epoch": 2.0}]
    assert read_history(tmp_path / "nothing.csv") == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_history_that_is_cut_short_is_read_without_its_last_line(
    end: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever it is cut: a number may have lost digits without looking damaged."""
    file = tmp_path / "metrics.csv"
    lines = [f"epoch,seconds,val/ssim{end}", f"1,10,0.5{end}", f"2,10,0.6125{end}"]
    rows = [{"epoch": 1.0, "seconds": 10.0, "val/ssim": 0.5}, {"epoch": 2.0, "seconds": 10.0, "val/ssim": 0.6125}]
    content = "".join(lines).encode()
    starts = [sum(map(len, lines[:count])) for count in range(len(lines) + 1)]
    for length in range(len(content) + 1):
        caplog.clear()
        file.write_bytes(content[:length])
        whole = sum(start <= length for start in starts) - 1
        assert read_history(file) == rows[: max(0, whole - 1)]
        assert ("metrics.csv is cut short" in caplog.text) == (length not in starts)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("epoch,val/ssim\n1,0.5\n2\n3,0.6\n", "line 3 and the first line differ in their number of cells"),
        ("epoch,val/ssim\n1,0.5,7\n", "line 2 and the first line differ in their number of cells"),
        ("step,val/ssim\n1,0.5\n", "line 2 has no epoch"),
        ("epoch,val/ssim\n,0.5\n", "line 2 has no epoch"),
        ('epoch,val/ssim\n1,"0.5\n', "unexpected end of data"),
    ],
)
def test_a_damaged_history_is_one_error(content: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(content)
    with pytest.raises(ValueError, match=rf"metrics\.csv is damaged: {reason}\.$"):
        read_history(tmp_path / "metrics.csv")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (0.04, "0.04 s"), (99, "99 s"), (150, "2 min"), (12_000, "3 h 20 min")]
)
def test_durations_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said
