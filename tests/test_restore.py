"""The command as a user runs it, with a network that changes nothing: what comes back is known."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deblurlab.nets import UNet16
from deblurlab.run import weights
from tests.conftest import Call
from tests.pictures import picture

CONFIG = {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8], "residual": True}
SMALL = ["tile=64", "margin=8", "blend=8", "trainer=cpu"]


@pytest.fixture
def identity(tmp_path: Path) -> str:
    weights.save(UNet16(widths=[4, 8], residual=True), CONFIG, tmp_path / "identity.safetensors")
    return f"weights={tmp_path}/identity.safetensors"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    for number, name in enumerate(("a b.png", "b (1).webp", "below/c.tif")):
        Image.fromarray(picture(number, 50 + number, 90)).save(folder / name, lossless=True)
    return folder


def pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file))


def test_a_folder_and_what_is_below_it(photos: Path, identity: str, call: Call, tmp_path: Path) -> None:
    (photos / "notes.txt").write_text("no picture")
    call("restore", f"input={photos}", "output=out", identity, "tta=true", *SMALL)
    written = sorted(path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.*"))
    assert written == [Path("a b.png"), Path("b (1).webp"), Path("below/c.tif")]
    for name in written:
        np.testing.assert_array_equal(pixels(tmp_path / "out" / name), pixels(photos / name))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["identity.safetensors", "out", "photos"]


def test_restoring_imports_no_library_that_takes_a_second_and_is_not_needed(photos: Path, tmp_path: Path) -> None:
    """Each line of ``-X importtime`` ends with the name of a module."""
    command = ["-X", "importtime", "-m", "deblurlab.restore", f"input={photos}", f"output={tmp_path}/out"]
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=True)
    imported = {line.rpartition(" ")[2].partition(".")[0] for line in done.stderr.splitlines()}
    assert {"torch", "PIL"} <= imported
    assert not imported & {"lightning", "torchvision", "torchmetrics", "matplotlib", "sympy"}


def test_what_was_restored_into_the_folder_is_not_restored_again(
    photos: Path, identity: str, call: Call, tmp_path: Path
) -> None:
    for place in (str(photos), "photos", "photos/**/*"):
        call("restore", f"input={place}", "output=photos/restored", identity, "overwrite=true", *SMALL)
    assert len(list((photos / "restored").rglob("*.*"))) == 3


def test_a_glob_and_one_file(photos: Path, identity: str, call: Call, tmp_path: Path) -> None:
    call("restore", f"input={photos}/*.png", "output=out", identity, "compare=true", *SMALL)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a b.png", "a b.png.compare.jpg"]
    assert pixels(tmp_path / "out/a b.png.compare.jpg").shape == (18 + 50, 180, 3)  # below a band with two words
    call("restore", f"input={photos}/a b.png", "output=better.png", identity, *SMALL)
    np.testing.assert_array_equal(pixels(tmp_path / "better.png"), pixels(photos / "a b.png"))


def test_a_broken_file_is_named_and_the_rest_restored(
    photos: Path, identity: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "aa.jpg").write_bytes(b"\xff\xd8\xff broken")
    with pytest.raises(SystemExit, match="1 of 4 was not restored"):
        call("restore", f"input={photos}", "output=out", identity, *SMALL)
    assert f"{photos}/aa.jpg cannot be read" in capsys.readouterr().err
    assert len(list((tmp_path / "out").rglob("*.*"))) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_lost_link_and_a_pipe_are_named_and_the_rest_restored(
    photos: Path, identity: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "lost.jpg").symlink_to("gone.jpg")
    os.mkfifo(photos / "pipe.png")
    (photos / "album").symlink_to("/nowhere/album")
    (tmp_path / "elsewhere").mkdir()
    Image.fromarray(picture(3, 40, 60)).save(tmp_path / "elsewhere/d.png")
    (photos / "linked").symlink_to(tmp_path / "elsewhere")
    for place in ("photos", "photos/**/*"):
        with pytest.raises(SystemExit, match="2 of 6 were not restored"):
            call("restore", f"input={place}", "output=out", identity, "existing=overwrite", *SMALL)
        told = capsys.readouterr().err
        assert "photos/lost.jpg is a symbolic link to gone.jpg, which cannot be opened" in told
        assert "photos/pipe.png is a named pipe, not a file." in told
        assert "left out, because these links lead nowhere: album -> /nowhere/album" in told
        assert len([path for path in (tmp_path / "out").rglob("*") if path.is_file()]) == 4
    np.testing.assert_array_equal(pixels(tmp_path / "out/linked/d.png"), pixels(tmp_path / "elsewhere/d.png"))
    with pytest.raises(SystemExit, match=r"photos/lost\.jpg is a symbolic link to gone\.jpg"):
        call("restore", "input=photos/lost.jpg", "output=out", identity, *SMALL)


def test_what_was_restored_through_a_link_is_not_restored_again(
    photos: Path, identity: str, call: Call, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (photos / "linked").symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        call("restore", "input=photos", "output=elsewhere/out", identity, "overwrite=true", *SMALL)
    assert len(list((tmp_path / "elsewhere/out").rglob("*.*"))) == 3


def test_nothing_is_overwritten_unless_told(photos: Path, identity: str, call: Call, tmp_path: Path) -> None:
    one = f"input={photos}/a b.png"
    call("restore", one, "output=out", identity, *SMALL)
    (tmp_path / "out/a b.png").write_bytes(b"precious")
    with pytest.raises(
        SystemExit, match=r"1 of 1 was not restored, because of what is there already, first out/a b\.png"
    ):
        call("restore", one, "output=out", identity, *SMALL)
    assert (tmp_path / "out/a b.png").read_bytes() == b"precious"
    call("restore", one, "output=out", identity, "overwrite=true", *SMALL)
    np.testing.assert_array_equal(pixels(tmp_path / "out/a b.png"), pixels(photos / "a b.png"))


def test_a_folder_goes_on_where_it_was_interrupted(
    photos: Path, identity: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("restore", f"input={photos}", "output=out", identity, "compare=true", *SMALL)
    (tmp_path / "out/a b.png").write_bytes(b"restored before")
    (tmp_path / "out/below/c.tif").unlink()  # its comparison is written first, and the kill came between the two
    call("restore", f"input={photos}", "output=out", identity, "existing=skip", "compare=true", *SMALL)
    assert (tmp_path / "out/a b.png").read_bytes() == b"restored before"
    np.testing.assert_array_equal(pixels(tmp_path / "out/below/c.tif"), pixels(photos / "below/c.tif"))
    assert "2 of 3 were restored already" in capsys.readouterr().err
    call("restore", f"input={photos}", "output=out", identity, "existing=overwrite", *SMALL)
    np.testing.assert_array_equal(pixels(tmp_path / "out/a b.png"), pixels(photos / "a b.png"))


@pytest.mark.parametrize("word", ["no", "'false'"])
def test_a_word_that_is_not_understood_overwrites_nothing(
    word: str, photos: Path, identity: str, call: Call, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a b.png").write_bytes(b"precious")
    with pytest.raises(SystemExit, match="overwrite must be true or false"):
        call("restore", f"input={photos}", "output=out", identity, f"overwrite={word}", *SMALL)
    assert (tmp_path / "out/a b.png").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["input=nowhere"], "input=nowhere: there is no such file or folder"),
        (["input=https://example.org/a.jpg"], r"there is no such file or folder\. Addresses are not read: download"),
        (["input='nowhere/*.png'"], r"input=nowhere/\*\.png names no picture or video"),
        (["input=photos/a b.png", "output=a.jpg"], r"must end in \.png"),
        (["input=photos", "output=/proc/x"], r"^error: /proc/x: "),  # in which nobody may make a file
        (["input=photos", "tile=30"], "tile=30 must be 0 or more than twice"),
        (["input=photos", "quality=0"], "quality must be a whole number from 1 to 100"),
        (["input=photos", "tile=abc"], "tile must be a whole number"),
        (["input=photos", "weights=12"], "weights=12: there is no such run"),
        (["input=café.jpg"], "'input=\"café.jpg\"'"),
        (["input=photos", "weights=nothing"], "Shipped: "),
        (["input=photos", "trainer=tpu"], "no TPU|needs torch_xla"),
        (["input=photos", "existing=keep"], "existing must be refuse, skip or overwrite, got keep"),
        (["input=photos", "existing=skip", "overwrite=true"], "contradict each other"),
    ],
)
def test_mistakes_are_explained(overrides: list[str], message: str, photos: Path, call: Call) -> None:
    with pytest.raises(SystemExit, match=message):
        call("restore", *overrides)


def test_tiny_pictures_are_marked(
    identity: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, height, width in (("icon", 16, 16), ("strip", 31, 200), ("large", 32, 40)):
        Image.fromarray(np.full((height, width, 3), 99, np.uint8)).save(tmp_path / f"{name}.png")
    call("restore", "input='*.png'", "output=out", identity, *SMALL)
    told = {line.partition(".png")[0]: line for line in capsys.readouterr().err.splitlines() if " -> " in line}
    assert {name for name, line in told.items() if "less than 32 pixels" in line} == {"icon", "strip"}


def test_a_video_keeps_its_frames_and_its_sound(
    identity: str, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    av = pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")
    with av.open(str(tmp_path / "a.mp4"), "w") as writer:
        seen = writer.add_stream("libx264", rate=25, options={"crf": "10"})
        seen.width, seen.height, seen.pix_fmt = 96, 64, "yuv420p"
        heard = writer.add_stream("aac", rate=8000, layout="mono")
        frames = [np.roll(picture(0, 64, 96), 2 * number, axis=1) for number in range(6)]
        seen.set_display_rotation(-90)
        seen.codec_context.colorspace, seen.codec_context.color_range = 1, 1  # BT.709, as HD is
        for frame in frames:
            writer.mux(seen.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.float32), format="fltp", layout="mono")
        tone.rate = 8000
        writer.mux(heard.encode(tone))
        writer.mux(heard.encode(None))
        writer.mux(seen.encode(None))
    call("restore", "input=a.mp4", "output=out", identity, *SMALL)

    def read(file: Path) -> tuple[list[np.ndarray], list[float], int]:
        with av.open(str(file)) as reader:
            pictures = list(reader.decode(video=0))
        assert {(frame.rotation, frame.colorspace, frame.color_range) for frame in pictures} == {(-90, 1, 1)}
        with av.open(str(file)) as reader:
            packets = sum(packet.size for packet in reader.demux(audio=0))
        return [frame.to_ndarray(format="rgb24") for frame in pictures], [frame.time for frame in pictures], packets

    assert "compare=true" not in capsys.readouterr().err
    call("restore", "input=a.mp4", "output=compared", "compare=true", identity, *SMALL)
    assert "per second; compare=true is for pictures alone)" in capsys.readouterr().err
    (before, times, sound), (after, new_times, new_sound) = read(tmp_path / "a.mp4"), read(tmp_path / "out/a.mp4")
    assert (new_times, new_sound) == (times, sound)
    for one, other in zip(before, after, strict=True):
        difference = one.astype(int) - other
        assert np.abs(difference).mean() < 4  # encoded anew
        assert np.abs(difference.mean(axis=(0, 1))).max() < 2  # colours

    (tmp_path / "b.mp4").write_bytes(b"no video")
    with pytest.raises(SystemExit, match="1 of 1 was not restored"):
        call("restore", "input=b.mp4", "output=out", identity, *SMALL)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.mp4"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_twelve_megapixels_take_less_than_two_gibibytes(tmp_path: Path) -> None:
    Image.fromarray(picture(0, 3000, 4000)).save(tmp_path / "large.jpg", quality=95)
    # Not wait4's ru_maxrss: of a fresh process that is the memory of pytest, which started it.
    program = "from deblurlab.restore import main; main(); print(open('/proc/self/status').read())"
    command = [sys.executable, "-c", program, "input=large.jpg", "output=out", "trainer=cpu"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert pixels(tmp_path / "out/large.jpg").shape == (3000, 4000, 3)
    peak = re.search(r"VmHWM:\s+(\d+) kB", done.stdout)
    assert peak
    assert int(peak[1]) < 2 * 2**20


@pytest.mark.slow
def test_xla_restores_as_the_cpu_does(photos: Path, tmp_path: Path) -> None:
    from tests.conftest import run_command

    torch.manual_seed(0)
    network = UNet16(widths=[4, 8])
    weights.save(network, {"_target_": "deblurlab.nets.UNet16", "widths": [4, 8]}, tmp_path / "net.safetensors")
    same = ["input=photos/a b.png", "weights=net.safetensors", "tile=64", "margin=8", "blend=8"]
    for trainer in ("cpu", "xla_cpu"):
        done = run_command(tmp_path, "restore", *same, f"trainer={trainer}", f"output={trainer}")
        assert done.returncode == 0, done.stderr
    one, other = (pixels(tmp_path / trainer / "a b.png").astype(int) for trainer in ("cpu", "xla_cpu"))
    assert np.abs(one - other).max() <= 1
