"""Video frames and photographs through the commands, as a user runs them."""

import csv
import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deblurlab.run import figures
from tests.conftest import Call, run_command
from tests.data.shards.bucket import s3_server
from tests.pictures import picture

SMALL = ("data.size=[72,128]", "data.batch_size=4")
TINY = ("model=unet16", "model.network.widths=[4,8]", "trainer=cpu", "trainer.precision=32-true", "logger=none")


def test_train_and_evaluate_on_whole_frames(call: Call, tiny_reds: Path, tmp_path: Path) -> None:
    call("train", *TINY, "data=reds", f"data.root={tiny_reds}", *SMALL, "trainer.max_epochs=1", "run=run")
    scores = json.loads((tmp_path / "run/metrics.json").read_text())
    assert (scores["data"], scores["images"]) == ("reds", 4)

    call("evaluate", "run=run", "trainer.precision=32-true", "trainer.accelerator=cpu")
    folder = tmp_path / "run/evaluate/reds"
    assert json.loads((folder / "metrics.json").read_text()) == scores
    with (folder / "per_image.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["frame"] for row in rows] == [f"000/{number:08}" for number in range(4)]
    # an independent path: the blurred frame's own file, resized by Pillow
    for row in rows:
        sides = [
            np.asarray(Image.open(tiny_reds / f"val/val_{side}/{row['frame']}.png").resize((128, 72), 2)) / 255
            for side in ("blur", "sharp")
        ]
        assert float(row["blurred_mse"]) == pytest.approx(np.square(sides[0] - sides[1]).mean(), rel=1e-5)
    assert (folder / "panel.png").is_file()


def test_photographs_of_two_shapes(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(10):
        height, width = ((40, 70), (70, 40))[number % 2]
        Image.fromarray(picture(number, height, width)).save(tmp_path / "photos" / f"{number}.png")
    (tmp_path / "photos" / "test").mkdir()
    (tmp_path / "photos" / "train").mkdir()
    for number in range(10):
        target = "test" if number < 2 else "train"
        (tmp_path / "photos" / f"{number}.png").rename(tmp_path / "photos" / target / f"{number}.png")
    data = ("data=folder", "data.root=photos", "data.patch=[16,32]", "data.batch_size=4", "data.shake_max=5")
    call("train", *TINY, *data, "trainer.max_epochs=1", "run=run")
    assert json.loads((tmp_path / "run/metrics.json").read_text())["images"] == 2
    call("evaluate", "run=run", "trainer.accelerator=cpu")
    assert (tmp_path / "run/evaluate/folder/panel.png").is_file()
    assert "the test after the training had other images" not in capsys.readouterr().err
    (tmp_path / "photos/test/0.png").rename(tmp_path / "photos/test/new.png")
    call("evaluate", "run=run", "trainer.accelerator=cpu")
    assert "the test after the training had other images, such as 0.png" in capsys.readouterr().err


@pytest.mark.slow
def test_prepare_checks_and_writes(call: Call, tiny_reds: Path, tmp_path: Path) -> None:
    call("prepare", f"data.root={tiny_reds}", "check=true")
    call("prepare", f"data.root={tiny_reds}", "data.size=[72,128]", "out=shards")
    data = ("data=reds", *SMALL, "trainer.max_epochs=1")
    for root, run in ((tiny_reds, "raw"), ("shards", "prepared")):
        call("train", *TINY, *data, f"data.root={root}", f"run={run}")
    raw, prepared = (json.loads((tmp_path / run / "metrics.json").read_text()) for run in ("raw", "prepared"))
    assert raw["blurred"] == prepared["blurred"]
    call("prepare", f"data.root={tiny_reds}", "data.size=[72,128]", "out=records", "format=tfrecord")
    assert sorted(path.name for path in (tmp_path / "records/train").glob("*.tfrecord")) == [
        "000.tfrecord",
        "001.tfrecord",
    ]


@pytest.mark.slow
def test_a_killed_run_from_a_bucket_resumes_to_the_same_weights(tiny_reds: Path, tmp_path: Path) -> None:
    with s3_server() as server:
        url = server.url.format(path="reds")
        made = run_command(tmp_path, "prepare", f"data.root={tiny_reds}", "data.size=[72,128]", f"out='{url}'")
        assert made.returncode == 0, made.stderr
        arguments = (
            *TINY,
            "data=reds",
            f"data.root='{url}'",
            "data.cache=cache",
            "data.mixed_frames=2",
            "callbacks.within_epoch.minutes=0",
            "trainer.max_epochs=2",
            *SMALL,
            "run=run",
        )
        (tmp_path / "whole").mkdir()
        whole = run_command(tmp_path / "whole", "train", *arguments)
        assert whole.returncode == 0, whole.stderr
        server.break_next(".parquet", "503", "truncate", "drop")
        killed = run_command(
            tmp_path, "train", *arguments, "+callbacks.kill={_target_: tests.faults.SignalAt, step: 23, number: 9}"
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        last = tmp_path / "run/checkpoints/last.ckpt"
        step = torch.load(last, weights_only=True)["global_step"]
        assert 18 < step <= 23  # 18 steps an epoch: in the middle of the second
        resumed = run_command(tmp_path, "train", *arguments, "ckpt_path=last", "+callbacks.kill=null")
        assert resumed.returncode == 0, resumed.stderr
    expected, actual = (
        torch.load(folder / "run/checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for folder in (tmp_path / "whole", tmp_path)
    )
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


def test_marked_regions_are_where_the_images_differ() -> None:
    sharp = torch.zeros(3, 50, 100)
    blurred = sharp.clone()
    blurred[:, 20:30, 60:80] = 0.5
    blurred[:, 0:10, 0:20] = 0.25
    assert figures.marked_regions(blurred, sharp) == [(20, 60, 10, 20), (0, 0, 10, 20)]


def test_a_frame_panel_shows_the_regions_enlarged() -> None:
    sharp = torch.rand(2, 3, 50, 100, generator=torch.Generator().manual_seed(0))
    columns = {"Blurred": sharp * 0.5, "Sharp": sharp}
    figure = figures.frame_panel(columns, captions={"Blurred": ["one", "two"]})
    drawn = [axes.get_images()[0].get_array() for part in figure.subfigs for axes in part.axes]
    assert [array.shape for array in drawn] == [(50, 100, 3), (10, 20, 3), (10, 20, 3)] * 4
    top, left, height, width = figures.marked_regions(columns["Blurred"][1], sharp[1])[0]
    np.testing.assert_array_equal(drawn[10], drawn[9][top : top + height, left : left + width])


def test_the_frames_of_all_rows_are_drawn_alike_although_the_first_has_titles() -> None:
    images = torch.rand(6, 3, 90, 160, generator=torch.Generator().manual_seed(0))
    columns = {"Blurred": images, "Restored": images, "Sharp": images}
    captions = {title: ["SSIM 0.9, 30 dB"] * 6 for title in ("Blurred", "Restored")}
    figure = figures.frame_panel(columns, captions)
    figures.pixels(figure)
    widths = [part.axes[0].get_window_extent().width for part in figure.subfigs]
    assert len(widths) == 18
    assert max(widths) <= 1.01 * min(widths)


def test_a_run_that_ended_within_an_epoch_goes_on_with_the_pictures_that_are_left(tmp_path: Path) -> None:
    """It ends after 4 of 10 batches: the epoch goes on at the fifth batch, unless there are not so many any more."""
    (tmp_path / "photos").mkdir()
    for number in range(26):
        Image.fromarray(picture(number, 16, 64)).save(tmp_path / "photos" / f"{number:02}.png")
    data = ("data=folder", "data.root=photos", "data.patch=[16,32]", "data.batch_size=4", "data.shake_max=5")
    arguments = (*TINY, *data, "trainer.max_epochs=3", "run=run")
    end = "+callbacks.end={_target_: tests.faults.SignalAt, step: 14, number: 15}"
    ended = run_command(tmp_path, "train", *arguments, end)
    assert ended.returncode == 128 + signal.SIGTERM, ended.stderr
    last = (tmp_path / "run/checkpoints/last.ckpt").read_bytes()
    (tmp_path / "photos").rename(tmp_path / "all")
    for left, status in ((9, 1), (24, 0)):
        (tmp_path / "photos").mkdir()
        for number in range(left):
            shutil.copy(tmp_path / "all" / f"{number:02}.png", tmp_path / "photos")
        resumed = run_command(tmp_path, "train", *arguments, "ckpt_path=last", "+callbacks.end=null")
        assert resumed.returncode == status, resumed.stderr
        assert f"{26 - left} pictures are gone, such as " in resumed.stderr
        assert "the network was trained on" in resumed.stderr
        if status:
            assert "was written after batch 4 of an epoch that has 3 now" in resumed.stderr
            assert (tmp_path / "run/checkpoints/last.ckpt").read_bytes() == last
            shutil.rmtree(tmp_path / "photos")
    with (tmp_path / "run/metrics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(row["val/ssim"] for row in rows)
