"""The tables of test scores, and the sentence that summarises one."""

import json
import math
import re
from pathlib import Path

import pytest

from deblurlab.reports.cells import Cell, Row, Table
from deblurlab.reports.groups import group_runs
from deblurlab.reports.reported_run import find_runs
from deblurlab.reports.score_table import finding, further_table, score_table
from deblurlab.reports.study import study_scores
from tests.reports.made_up import grouped, made_up


def rows(table: Table) -> dict[tuple[str, str], Row]:
    return {(section[0].title, row.title): row for section in table.sections for row in section[1:]}


def test_scores_stand_beside_the_studys(tmp_path: Path) -> None:
    made_up(tmp_path / "good", ssim=0.91)
    made_up(tmp_path / "worse", ssim=0.85, model="resnet16")
    made_up(tmp_path / "part", ssim=0.99, model="rednet30", images=100)
    table = score_table("CIFAR-10", grouped(tmp_path))
    found = rows(table)
    ssim = 1  # its column
    assert found["UNet16", "ours"].cells[ssim] == Cell("0.9100", "best")
    assert found["UNet16", "study"].cells[ssim] == Cell("0.9001")
    assert found["UNet16", "difference"].cells[ssim] == Cell("+0.0099", "better")
    assert found["ResNet16", "difference"].cells[ssim] == Cell("−0.0534", "worse")
    assert found["UNet16", "difference"].cells[3] == Cell("−0.095", "better")  # MSE: less is better
    # of a part of the test set: no competitor
    assert found["REDNet30", "ours"].cells[ssim] == Cell("0.9900 †")
    assert ("REDNet30", "difference") not in found
    assert found["REDNet30", "study"].cells[ssim] == Cell("0.9258", "best")
    # no run: a gap, no number
    gap = found["MSDeblurWGAN", "ours"].cells
    assert {cell.mark for cell in gap} == {"gap"}
    assert not re.search(r"\d", "".join(cell.text for cell in gap))
    assert found["blurred input", "ours"].cells[ssim] == Cell("0.7000")
    assert "best of 2 by SSIM: UNet16, 0.9100" in finding("CIFAR-10", grouped(tmp_path))


def test_rows_with_different_test_sets_are_not_compared_in_silence(tmp_path: Path) -> None:
    made_up(tmp_path / "one", ssim=0.91)
    made_up(tmp_path / "same", ssim=0.85, model="resnet16")
    assert score_table("CIFAR-10", grouped(tmp_path)).notes == []
    other = made_up(tmp_path / "other", ssim=0.95, data={"sigma_range": [0, 1]}) / "metrics.json"
    result = json.loads(other.read_text())
    result["blurred"]["ssim"] = 0.8
    other.write_text(json.dumps(result))
    (note,) = score_table("CIFAR-10", grouped(tmp_path)).notes
    assert note.startswith("The test sets of the rows differ, since their blurred images have different scores")
    result["images"] = 100  # a part of the test set, which is not compared anyway
    other.write_text(json.dumps(result))
    assert [note[0] for note in score_table("CIFAR-10", grouped(tmp_path)).notes] == ["†"]


@pytest.mark.parametrize(("ssim", "notes"), [(0.70004999, 0), (0.70005001, 0), (0.7003, 1)])
def test_scores_of_blurred_images_that_are_rounded_differently_are_of_one_test_set(
    ssim: float, notes: int, tmp_path: Path
) -> None:
    """As those of one test set are that are computed on two devices, or with two batch sizes."""
    for model, value in (("unet16", 0.70005), ("resnet16", ssim)):
        file = made_up(tmp_path / model, ssim=0.91, model=model) / "metrics.json"
        result = json.loads(file.read_text())
        result["blurred"] |= {"ssim": value, "psnr": math.nan}
        result["restored"] |= {"lpips": 0.1}
        file.write_text(json.dumps(result))
    groups = grouped(tmp_path)
    assert len(score_table("CIFAR-10", groups).notes) == notes
    table = further_table(groups)
    assert table is not None
    assert len(table.sections) == 1 + notes


def test_a_whole_test_by_evaluate_takes_the_place_of_a_partial_one(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", ssim=0.99, images=100)
    evaluation = run / "evaluate" / "cifar10"
    evaluation.mkdir(parents=True)
    result = json.loads((run / "metrics.json").read_text())
    result["images"], result["restored"]["ssim"] = 10_000, 0.91
    (evaluation / "metrics.json").write_text(json.dumps(result))
    assert rows(score_table("CIFAR-10", grouped(tmp_path)))["UNet16", "ours"].cells[1].text == "0.9100"
    (evaluation / "metrics.json").write_text(json.dumps(result | {"tta": True}))  # an average, as no other run's test
    assert rows(score_table("CIFAR-10", grouped(tmp_path)))["UNet16", "ours"].cells[1].text == "0.9900 †"
    (evaluation / "metrics.json").write_text(json.dumps(result | {"window": 384}))
    assert rows(score_table("CIFAR-10", grouped(tmp_path)))["UNet16", "ours"].cells[1].text == "0.9900 †"
    result["images"] = 50  # a smaller part than the run's own test
    (evaluation / "metrics.json").write_text(json.dumps(result))
    assert rows(score_table("CIFAR-10", grouped(tmp_path)))["UNet16", "ours"].cells[1].text == "0.9900 †"


def test_a_network_that_diverged_is_not_the_best(tmp_path: Path) -> None:
    """Its scores are NaN, and so are those of all its seeds together."""
    for name, ssim, seed, lr in (("a", math.nan, 0, 1), ("b", 0.8, 1, 1), ("c", 0.7, 0, 2), ("d", 0.6, 0, 3)):
        made_up(tmp_path / name, ssim=ssim, seed=seed, model_keys={"optimizer": {"lr": lr}})
    groups = grouped(tmp_path)
    ours = {row.title: row.cells[1] for row in score_table("CIFAR-10", groups).sections[0] if row.kind == "ours"}
    assert {title: (cell.text, cell.mark) for title, cell in ours.items()} == {
        "ours (lr 1)": ("nan ± nan", ""),
        "ours (lr 2)": ("0.7000", "best"),
        "ours (lr 3)": ("0.6000", ""),
    }
    assert "UNet16 (lr 2), 0.7000" in finding("CIFAR-10", groups)


def test_two_runs_of_one_seed_are_counted(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made_up(tmp_path / name, ssim=0.8)
    notes = [row.note for section in score_table("CIFAR-10", grouped(tmp_path)).sections for row in section]
    assert any("2 runs of 1 seed," in note for note in notes), notes


def test_without_the_study_s_data_its_rows_are_left_out(tmp_path: Path) -> None:
    losses = {"a": "deblurlab.losses.LogCosh", "b": "mynet.MyLoss"}
    for name, loss in losses.items():
        network = {"network": {"_target_": "mynet.TinyNet"}, "loss": {"_target_": loss}}
        made_up(tmp_path / name, ssim=0.8, data_name="folder", model_keys=network)
    (groups,) = group_runs(find_runs([str(tmp_path)])).values()
    table = score_table("Pictures in nowhere", groups)
    assert [[row.title for row in section] for section in table.sections] == [
        ["TinyNet (loss LogCosh)", "TinyNet (loss MyLoss)"],
        ["blurred input"],
    ]
    assert [row.cells[0].mark for row in table.sections[0]] == ["", ""]  # two losses cannot be compared
    assert table.notes == ["The losses of rows that were trained with different losses cannot be compared."]


def test_own_data_have_no_words_of_the_study(tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8, data_name="folder", trainer={"limit_test_batches": 2})
    ((title, groups),) = group_runs(find_runs([str(tmp_path)])).items()
    assert score_table(title, groups).notes == ["† Tested on a part of the test set: no candidate for the best score."]
    assert finding(title, groups) == "no run has been tested on the whole test set yet (1 on a part)."


def test_another_loss_is_not_compared_with_the_study_s(tmp_path: Path) -> None:
    for model, loss in {"unet16": "LogCosh", "resnet16": "PSNRLoss"}.items():
        made_up(tmp_path / model, ssim=0.8, model=model, model_keys={"loss": {"_target_": f"deblurlab.losses.{loss}"}})
    table = score_table("CIFAR-10", grouped(tmp_path))
    found = rows(table)
    assert found["UNet16", "difference"].cells[0].text
    assert not found["ResNet16", "difference"].cells[0].text
    assert found["ResNet16", "difference"].cells[1].text
    assert "Losses other than the study's, LogCosh, are not compared with it." in table.notes


def test_the_studys_numbers_are_in_plain_units() -> None:
    study = study_scores("REDS 512x288")["rednet30"]
    assert study == pytest.approx({"loss": 5.793e-4, "ssim": 0.8976, "psnr": 31.98, "mse": 1.163e-3, "mae": 1.884e-2})
    assert {name for name, scores in study_scores("CIFAR-10").items() if "loss" not in scores} == {
        "msdeblur_wgan",
        "rednet30_wgan",
    }


def test_scores_of_metrics_have_a_table_of_their_own(tmp_path: Path) -> None:
    """With one line of the blurred images for each test set, whatever the loss and the scores of its runs."""
    for name, model, of_metrics, blurred in (
        ("seed0", "unet16", {"lpips": 0.25}, {"lpips": 0.5}),
        ("seed1", "unet16", {"lpips": 0.15}, {"lpips": 0.5}),
        ("other", "rednet30", {"dists": 0.1}, {"dists": 0.3, "loss": 7.0}),
        ("part", "nafnet", {"lpips": 0.1}, {"lpips": 0.4, "ssim": 0.6}),
    ):
        file = made_up(tmp_path / name, ssim=0.9, seed=int(name == "seed1"), model=model) / "metrics.json"
        result = json.loads(file.read_text())
        result["restored"] |= of_metrics
        result["blurred"] |= blurred
        file.write_text(json.dumps(result))
    made_up(tmp_path / "without", ssim=0.9, model="resnet16")
    groups = grouped(tmp_path)
    table = further_table(groups)
    assert table is not None
    assert table.heads == ["", "lpips (lower is better)", "dists (lower is better)"]
    assert [[(row.title, *(cell.text for cell in row.cells)) for row in section] for section in table.sections] == [
        [("NAFNet", "0.1000", ""), ("blurred input", "0.4000", "")],
        [("UNet16", "0.2000 ± 0.0707", ""), ("REDNet30", "", "0.1000"), ("blurred input", "0.5000", "0.3000")],
    ]
    assert further_table([group for group in groups if group.model == "resnet16"]) is None
