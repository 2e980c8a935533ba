"""The report of real, tiny runs, and its tables of runs that are made up."""

import json
import math
import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from omegaconf import DictConfig, OmegaConf
from PIL import Image

from deblurlab.interfaces import Pair
from deblurlab.losses import LogCosh
from deblurlab.nets import UNet16
from deblurlab.nets.folding import fold_rows
from deblurlab.reports import page, plots
from deblurlab.reports.cells import Cell, Row, Table
from deblurlab.reports.cost_table import cost_table
from deblurlab.reports.elsewhere_table import elsewhere_table
from deblurlab.reports.groups import group_runs
from deblurlab.reports.page import Illustration, Part
from deblurlab.reports.reported_run import ReportedRun, find_runs
from deblurlab.reports.score_table import finding, further_table, score_table
from deblurlab.reports.study import study_scores
from deblurlab.run.cost import Size, measure_size
from deblurlab.tasks import Autoencoder
from tests.conftest import HANG_SECONDS, Call

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCORES = {"loss": 1e-3, "ssim": 0.9, "psnr": 30.0, "mse": 2e-3, "mae": 3e-2, "infinite_psnr": 0}


def made_up(
    folder: Path,
    *,
    ssim: float | None,
    seed: int = 0,
    model: str = "unet16",
    images: int = 10_000,
    data_name: str = "cifar10",
    model_keys: dict[str, object] | None = None,
    **settings: object,
) -> Path:
    """A run's folder without a network: configuration, two epochs, and test scores unless ``ssim`` is None."""
    config = {
        "seed": seed,
        "data": {"root": "nowhere", "batch_size": 8},
        "model": {"optimizer": {"lr": 1e-3}, **(model_keys or {})},
        "trainer": {"max_epochs": 2, "limit_test_batches": 1.0, "fast_dev_run": False, "accelerator": "cpu"},
    }
    (folder / ".hydra").mkdir(parents=True)
    OmegaConf.save(OmegaConf.merge(config, settings), folder / ".hydra/config.yaml")
    choices = {"hydra": {"runtime": {"choices": {"model": model, "data": data_name}}}}
    OmegaConf.save(choices, folder / ".hydra/hydra.yaml")
    (folder / "metrics.csv").write_text(
        f"epoch,step,batches,seconds,val/ssim,val/psnr\n1,60,10,2.0,{0.5 + seed / 10},20\n2,120,20,4.0,0.75,22\n"
    )
    if ssim is not None:
        result = {"data": "cifar10", "split": "test", "images": images}
        result |= {"restored": SCORES | {"ssim": ssim}, "blurred": SCORES | {"ssim": 0.7}}
        (folder / "metrics.json").write_text(json.dumps(result))
    return folder


def grouped(*folders: Path) -> list:
    return group_runs(find_runs([str(folder) for folder in folders]))["CIFAR-10"]


def rows(table: Table) -> dict[tuple[str, str], Row]:
    return {(section[0].title, row.title): row for section in table.sections for row in section[1:]}


def test_seeds_are_one_group_and_settings_are_told_apart(tmp_path: Path) -> None:
    made_up(tmp_path / "sweep/a", ssim=0.8, seed=1)
    made_up(tmp_path / "sweep/b", ssim=0.9, seed=2)
    made_up(tmp_path / "long", ssim=None, trainer={"max_epochs": 9})
    groups = grouped(tmp_path / "sweep", tmp_path / "long")
    assert [group.label for group in groups] == ["UNet16 (2 epochs)", "UNet16 (epoch 2 of 9)"]
    assert groups[0].scores("restored")["ssim"] == pytest.approx((0.85, 0.1 / 2**0.5))
    assert groups[1].scores("restored") == {}
    assert groups[1].runs[0].state == "unfinished: epoch 2 of 9"


def test_a_square_patch_is_one_setting_in_both_its_spellings(tmp_path: Path) -> None:
    for seed, patch in enumerate((32, [32, 32], [32, 48])):
        data = {"root": "mine", "patch": patch}
        made_up(tmp_path / f"{seed}", ssim=0.8, seed=seed, data_name="folder", data=data)
    groups = group_runs(find_runs([str(tmp_path)]))["Pictures in mine"]
    assert sorted(len(group.runs) for group in groups) == [1, 2]


def test_a_wgan_s_seeds_are_one_group_too(tmp_path: Path) -> None:
    for seed in (1, 2):
        made_up(tmp_path / str(seed), ssim=0.8, seed=seed)
        config = OmegaConf.load(tmp_path / str(seed) / ".hydra/config.yaml")
        config.model.seed = seed
        OmegaConf.save(config, tmp_path / str(seed) / ".hydra/config.yaml")
    assert len(grouped(tmp_path)) == 1


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


def test_values_that_read_alike_are_told_apart(tmp_path: Path) -> None:
    for name, target, clip in (("a", "mine.Loss", None), ("b", "theirs.Loss", None), ("c", "mine.Loss", False)):
        model = {"loss": {"_target_": target}}
        made_up(tmp_path / name, ssim=0.8, model_keys=model, trainer={"gradient_clip_val": clip})
    assert [group.label for group in grouped(tmp_path)] == [
        "UNet16 (trainer.gradient_clip_val false)",
        'UNet16 (trainer.gradient_clip_val null, model.loss._target_ "mine.Loss")',
        'UNet16 (trainer.gradient_clip_val null, model.loss._target_ "theirs.Loss")',
    ]


def test_other_classes_are_told_apart_by_their_names(tmp_path: Path) -> None:
    losses = {"a": {"_target_": "mine.Weighted", "weight": 2.0}, "b": {"_target_": "deblurlab.losses.L1"}}
    losses["c"] = {"_target_": "mine.Weighted", "weight": 3.0}
    for name, loss in losses.items():
        made_up(tmp_path / name, ssim=0.8)
        config = OmegaConf.load(tmp_path / name / ".hydra/config.yaml")
        config.model.loss = loss
        OmegaConf.save(config, tmp_path / name / ".hydra/config.yaml")
    assert [group.label for group in grouped(tmp_path)] == [
        "UNet16 (loss L1)",
        "UNet16 (weight 2.0, loss Weighted)",
        "UNet16 (weight 3.0, loss Weighted)",
    ]


def test_two_runs_of_one_seed_are_counted(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made_up(tmp_path / name, ssim=0.8)
    notes = [row.note for section in score_table("CIFAR-10", grouped(tmp_path)).sections for row in section]
    assert any("2 runs of 1 seed," in note for note in notes), notes


def test_labels_tell_any_two_groups_apart(tmp_path: Path) -> None:
    wide, low = {"sigma_range": [0, 3]}, {"sigma_range": [0, 2]}
    for name, rate, data in (("a", 1e-3, wide), ("b", 1e-3, low), ("c", 1e-2, wide)):
        made_up(tmp_path / name, ssim=0.8, data=data)
        config = OmegaConf.load(tmp_path / name / ".hydra/config.yaml")
        config.model.optimizer.lr = rate
        OmegaConf.save(config, tmp_path / name / ".hydra/config.yaml")
    averaged = {"ema": {"_target_": "EMA", "decay": 0.99}}
    made_up(tmp_path / "d", ssim=0.8, data=wide, callbacks=averaged | {"panel": {"images": 3}})
    labels = [group.label for group in grouped(tmp_path)]
    assert len(set(labels)) == 4, labels


def test_other_folders_of_ones_own_are_other_data(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made_up(tmp_path / name, ssim=0.8, data_name="folder", data={"root": name})
    tables = group_runs(find_runs([str(tmp_path)]))
    labels = {table: [group.label for group in groups] for table, groups in tables.items()}
    assert labels == {"Pictures in a": ["UNet16"], "Pictures in b": ["UNet16"]}


def test_tests_of_whole_pictures_are_not_compared_with_tests_of_their_parts(tmp_path: Path) -> None:
    for name, whole in (("a", True), ("b", False), ("c", None)):
        data = {"root": "mine"} if whole is None else {"root": "mine", "whole_pictures": whole}
        made_up(tmp_path / name, ssim=0.8, data_name="folder", data=data)
        made_up(tmp_path / f"{name}_gopro", ssim=0.8, data_name="gopro_full", data=data)
    tables = group_runs(find_runs([str(tmp_path)]))
    names = {
        table: sorted(run.folder.name for group in groups for run in group.runs) for table, groups in tables.items()
    }
    assert names == {
        "Pictures in mine, whole": ["a"],
        "Pictures in mine": ["b", "c"],
        "GOPRO 1280x720, whole": ["a_gopro"],
        "GOPRO 1280x720": ["b_gopro", "c_gopro"],
    }


def test_folders_of_one_name_are_told_apart_by_what_holds_them(tmp_path: Path) -> None:
    roots = {"a": "/home/photos", "b": "/disk/photos", "c": "/disk/photos", "d": "photos", "e": "/disk/frames"}
    for name, root in roots.items():
        made_up(tmp_path / name, ssim=0.8, data_name="folder", data={"root": root})
    tables = group_runs(find_runs([str(tmp_path)]))
    names = {table: [run.folder.name for group in groups for run in group.runs] for table, groups in tables.items()}
    assert names == {
        "Pictures in home/photos": ["a"],
        "Pictures in disk/photos": ["b", "c"],
        "Pictures in photos": ["d"],
        "Pictures in frames": ["e"],
    }


def test_runs_that_were_tested_elsewhere_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    folders = [made_up(tmp_path / name, ssim=0.8) for name in ("A/run", "B/run")]
    folders.append(made_up(tmp_path / "C/run", ssim=0.8, model="resnet16"))
    for folder in folders:
        elsewhere = folder / "evaluate/reds/metrics.json"
        elsewhere.parent.mkdir(parents=True)
        elsewhere.write_text(json.dumps(json.loads((folder / "metrics.json").read_text()) | {"data": "reds"}))
    table = elsewhere_table(find_runs([str(folder) for folder in folders]))
    assert table is not None
    assert [[row.title for row in section] for section in table.sections] == [
        [
            f"UNet16 of CIFAR-10 ({Path('A/run')}), on reds",
            f"UNet16 of CIFAR-10 ({Path('B/run')}), on reds",
            "ResNet16 of CIFAR-10, on reds",
            "blurred input",
        ]
    ]


def test_a_test_with_other_settings_has_a_row_of_its_own(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", ssim=0.8, images=10)
    tests = {"": {}, "-tta": {"tta": True}, "-whole_pictures": {}, "-window_384": {"window": 384}}
    for name, settings in tests.items():
        file = run / f"evaluate/cifar10{name}/metrics.json"
        file.parent.mkdir(parents=True)
        result = json.loads((run / "metrics.json").read_text()) | settings
        result["blurred"]["ssim"] = 0.75 if name == "-whole_pictures" else 0.7  # of other images
        file.write_text(json.dumps(result))
    table = elsewhere_table(find_runs([str(run)]))
    assert table is not None
    assert [[(row.title, row.note) for row in section] for section in table.sections] == [
        [
            ("UNet16 of CIFAR-10, on cifar10-tta", "10 images, tta"),
            ("UNet16 of CIFAR-10, on cifar10-window_384", "10 images, window 384"),
            ("blurred input", ""),
        ],
        [("UNet16 of CIFAR-10, on cifar10-whole_pictures", "10 images"), ("blurred input", "")],
    ]


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


def test_long_labels_of_a_legend_stay_in_the_figure(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made_up(tmp_path / name, ssim=0.8, data_name="folder", data={"antialias": name * 90})
    figure = plots.curves(next(iter(group_runs(find_runs([str(tmp_path)])).values())))
    assert figure is not None
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def test_dollar_signs_in_a_label_make_no_formula(tmp_path: Path) -> None:
    for number, kind in enumerate(("$5_$", "plain")):
        made_up(tmp_path / str(number), ssim=0.8, model_keys={"network": {"kind": kind}})
    figure = plots.curves(grouped(tmp_path / "0", tmp_path / "1"))
    assert figure is not None
    figure.savefig(tmp_path / "curves.svg")
    assert "kind $5_$" in (tmp_path / "curves.svg").read_text()


def test_folders_sweeps_and_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        made_up(tmp_path / "sweep" / name, ssim=0.8)
    monkeypatch.chdir(tmp_path)
    for places in (["sweep"], ["sweep/*"], [f"{tmp_path}/sw*"], ["sweep/one", "sweep/two", "sweep"]):
        assert sorted(run.folder.name for run in find_runs(places)) == ["one", "two"]
    with pytest.raises(ValueError, match="runs=nothing: there is no run"):
        find_runs(["sweep", "nothing"])
    made_up(tmp_path / "outputs/sweeps/first/one", ssim=0.8)
    for place, pattern in (("outputs", "outputs/*/*"), ("outputs/sweeps/", "outputs/sweeps/*")):
        with pytest.raises(ValueError, match=r"there is no run .* There are runs below it: ") as error:
            find_runs([place])
        (word,) = shlex.split(str(error.value).partition("below it: ")[2])
        assert word == f'runs="{pattern}"'
        assert [run.folder.name for run in find_runs([pattern])] == ["one"]


def test_a_run_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made_up(tmp_path / "a/one", ssim=0.9).parents[1])
    (tmp_path / "a/latest").symlink_to("one")
    found = find_runs(["a", "a/one", str(tmp_path / "a/one"), "a/latest"])
    assert [run.folder for run in found] == [Path("a/one")]
    assert [run.folder for run in find_runs(["a/latest"])] == [Path("a/latest")]


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


def test_pictures_of_ones_own_are_tested_whole_if_the_scores_say_so(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", ssim=0.8, images=10, data_name="folder")
    result = json.loads((run / "metrics.json").read_text())
    for everything, whole in ((10, True), (20, False)):
        (run / "metrics.json").write_text(json.dumps(result | {"all_images": everything}))
        assert find_runs([str(run)])[0].whole_test is whole


def test_the_state_of_a_run_without_a_number_of_epochs(tmp_path: Path) -> None:
    for name, ssim, state in (("tested", 0.8, "finished, 2 epochs"), ("not", None, "unfinished: epoch 2")):
        run = made_up(tmp_path / name, ssim=ssim, trainer={"max_epochs": -1, "max_steps": 20})
        assert find_runs([str(run)])[0].state == state


def test_another_loss_is_not_compared_with_the_study_s(tmp_path: Path) -> None:
    for model, loss in {"unet16": "LogCosh", "resnet16": "PSNRLoss"}.items():
        made_up(tmp_path / model, ssim=0.8, model=model, model_keys={"loss": {"_target_": f"deblurlab.losses.{loss}"}})
    table = score_table("CIFAR-10", grouped(tmp_path))
    found = rows(table)
    assert found["UNet16", "difference"].cells[0].text
    assert not found["ResNet16", "difference"].cells[0].text
    assert found["ResNet16", "difference"].cells[1].text
    assert "Losses other than the study's, LogCosh, are not compared with it." in table.notes


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


def test_the_studys_numbers_are_in_plain_units() -> None:
    study = study_scores("REDS 512x288")["rednet30"]
    assert study == pytest.approx({"loss": 5.793e-4, "ssim": 0.8976, "psnr": 31.98, "mse": 1.163e-3, "mae": 1.884e-2})
    assert {name for name, scores in study_scores("CIFAR-10").items() if "loss" not in scores} == {
        "msdeblur_wgan",
        "rednet30_wgan",
    }


def test_costs(tmp_path: Path) -> None:
    made_up(tmp_path / "run", ssim=0.8)
    groups = grouped(tmp_path)
    sizes = {"UNet16": Size(parameters=482_067, flops=73_000_000, pixels=1024)}
    (section,) = cost_table(groups, sizes, dollars_per_hour=3600.0).sections
    # epochs of 80 images in 2 s and in 4 s: the median epoch of two is the faster; 6 s at a dollar a second
    assert [cell.text for cell in section[0].cells] == ["482,067", "35.6", "0.073", "40", "0.00", "$6.00"]
    assert section[0].note == "on cpu"  # trainer.accelerator, as there is no record of the start
    (tmp_path / "run/provenance.json").write_text(json.dumps([{"machine": {"device": "NVIDIA A100"}}]))
    (section,) = cost_table(groups, {}, dollars_per_hour=None).sections
    assert (section[0].cells[0].text, section[0].note) == ("no checkpoint", "on NVIDIA A100")
    (tmp_path / "run/checkpoints").mkdir()
    (tmp_path / "run/checkpoints/best.ckpt").touch()  # it cannot be read, or needs trust=
    (section,) = cost_table(groups, {}, dollars_per_hour=None).sections
    assert (section[0].cells[0].text, section[0].cells[0].mark) == ("not measured", "gap")


@pytest.mark.parametrize(
    ("history", "speed", "hours"),
    [
        ("epoch,val/ssim\n1,0.5\n2,0.6\n", "not recorded", "not recorded"),
        ("epoch,seconds,val/ssim\n1,1800,0.5\n2,1800,0.6\n", "not recorded", "1.00"),
        # the second epoch, of 10 batches of 8 images; an earlier version did not count the batches of the first
        ("epoch,seconds,batches\n1,1800,\n2,1800,10\n3,4,20\n", "20", "1.00"),
        ("epoch,seconds,batches\n1,,10\n2,4,20\n", "20", "not recorded"),
        ("epoch,batches,seconds\n", "no epoch yet", "0.00"),
        ("", "no epoch yet", "0.00"),
    ],
)
def test_costs_that_the_history_does_not_tell_are_gaps(history: str, speed: str, hours: str, tmp_path: Path) -> None:
    (made_up(tmp_path / "run", ssim=0.8) / "metrics.csv").write_text(history)
    (section,) = cost_table(grouped(tmp_path / "run"), {}, dollars_per_hour=1.0).sections
    price = "" if hours == "not recorded" else f"${hours}"
    assert [cell.text for cell in section[0].cells[3:]] == [speed, hours, price]


def test_size() -> None:
    task = Autoencoder(network=UNet16(widths=(4, 8)), loss=LogCosh(), optimizer=torch.optim.Adam)
    task.critic = torch.nn.Linear(100, 100)  # as a WGAN has one
    image = torch.rand(2, 3, 16, 24)
    size = measure_size(task.eval(), Pair(image, image, torch.ones(2, dtype=torch.bool), (2, 3)))
    full, half = 16 * 24, 16 * 24 // 4
    convolutions = [(9 * 3 * 4, full), (9 * 4 * 4, full), (9 * 4 * 8, half), (9 * 8 * 8, half), (4 * 8 * 4, half)]
    convolutions += [(9 * 8 * 4, full), (9 * 4 * 4, full), (1 * 4 * 3, full)]
    assert size.flops == sum(2 * weights * pixels for weights, pixels in convolutions)
    assert size.kmacs_per_pixel == pytest.approx(size.flops / 2000 / 384)
    assert size.parameters == sum(parameter.numel() for parameter in task.network.parameters())
    fold_rows(task.network)  # as evaluate on XLA leaves it: the zeros in its kernels are no work
    assert measure_size(task, Pair(image, image, torch.ones(2, dtype=torch.bool), (2, 3))) == size


def test_curves_draw_the_mean_of_seeds(tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8, seed=1)
    made_up(tmp_path / "b", ssim=0.9, seed=3)
    figure = plots.curves(grouped(tmp_path))
    assert figure is not None
    (line,) = figure.axes[0].get_lines()
    np.testing.assert_allclose(line.get_xydata(), [[1, 0.7], [2, 0.75]])


def test_an_epoch_without_a_number_is_left_out_of_the_curves(tmp_path: Path) -> None:
    history = made_up(tmp_path / "a", ssim=0.8) / "metrics.csv"
    history.write_text(history.read_text().replace("0.75,22", "nan,nan"))
    figure = plots.curves(grouped(tmp_path))
    assert figure is not None
    (line,) = figure.axes[0].get_lines()
    np.testing.assert_allclose(line.get_xydata(), [[1, 0.5]])


def test_own_data_have_no_words_of_the_study(tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8, data_name="folder", trainer={"limit_test_batches": 2})
    ((title, groups),) = group_runs(find_runs([str(tmp_path)])).items()
    assert score_table(title, groups).notes == ["† Tested on a part of the test set: no candidate for the best score."]
    assert finding(title, groups) == "no run has been tested on the whole test set yet (1 on a part)."


def test_a_report_goes_to_a_folder(call: Call, tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8)
    with pytest.raises(SystemExit, match=r"output=out\.pdf: name a folder"):
        call("report", "runs=a", "output=out.pdf")


def test_gains_leave_out_infinite_psnr() -> None:
    scores = {"restored_psnr": [30.0, np.inf, 20.0], "blurred_psnr": [25.0, np.inf, 21.0]}
    np.testing.assert_allclose(plots._gain(scores, "psnr"), [5.0, -1.0])


def test_gains_without_a_finite_psnr_leave_that_figure_empty(tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8)
    (tmp_path / "a/per_image.csv").write_text(
        "image,restored_ssim,blurred_ssim,restored_psnr,blurred_psnr\n0,0.9,0.8,20.0,inf\n"
    )
    figure = plots.gains(grouped(tmp_path))
    assert figure is not None
    assert [len(axes.patches) for axes in figure.axes] == [1, 0]


def test_the_estimated_blur_is_drawn_where_a_network_estimates_it(tmp_path: Path) -> None:
    made_up(tmp_path / "a", ssim=0.8).joinpath("per_image.csv").write_text(
        "image,sigma,restored_ssim,blurred_ssim,estimated_sigma\n0,1.0,0.9,0.8,1.1\n1,2.0,0.9,0.8,1.7\n"
    )
    figure = plots.estimated_against_true_sigma(grouped(tmp_path / "a"))
    assert figure is not None
    points, _ = figure.axes[0].get_lines()
    np.testing.assert_allclose(points.get_xydata(), [[1.0, 1.1], [2.0, 1.7]])
    assert "off by 0.200 on average" in points.get_label()
    made_up(tmp_path / "b", ssim=0.8)
    assert plots.estimated_against_true_sigma(grouped(tmp_path / "b")) is None


def test_scores_per_image_may_be_evaluate_s_of_this_version_or_an_earlier_one(tmp_path: Path) -> None:
    folder = made_up(tmp_path / "a", ssim=0.8)
    evaluation = folder / "evaluate/cifar10"
    evaluation.mkdir(parents=True)
    for place, ssim in (
        (evaluation / "metrics.csv", 0.7),  # as version 0.1.0 called it
        (evaluation / "per_image.csv", 0.8),
        (folder / "per_image.csv", 0.9),
    ):
        place.write_text(f"image,restored_ssim\n0,{ssim}\n")
        (run,) = find_runs([str(folder)])
        assert run.per_image == {"restored_ssim": [ssim]}


def test_a_run_on_frames_is_named_by_their_size() -> None:
    config = DictConfig({"data": {"size": [288, 512]}})
    assert ReportedRun(Path("x"), "unet16", "reds", config).table == "REDS 512x288"


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
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", markdown)
    assert len(pictures) == len([link for link in parser.links if link.startswith("data:image/")])
    assert all((report / picture).stat().st_size > 1000 for picture in pictures)


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


def test_the_studys_numbers_and_the_runs_are_read_without_torch() -> None:
    code = "import sys, deblurlab.reports.study, deblurlab.reports.groups; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
