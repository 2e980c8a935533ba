"""Which runs a report finds, to which table each belongs, and what their folders tell of them."""

import json
import shlex
from pathlib import Path

import pytest
from omegaconf import DictConfig

from deblurlab.reports.groups import group_runs
from deblurlab.reports.reported_run import ReportedRun, find_runs
from tests.reports.made_up import made_up


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


def test_a_run_on_frames_is_named_by_their_size() -> None:
    config = DictConfig({"data": {"size": [288, 512]}})
    assert ReportedRun(Path("x"), "unet16", "reds", config).table == "REDS 512x288"


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
