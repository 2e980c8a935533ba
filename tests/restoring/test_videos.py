"""What comes back of a video: times, sound, brightness, shape and descriptions; and what is said of the rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deblurlab.data.pixels import decode_file
from deblurlab.pictures import films
from deblurlab.restoring import load_restorer, videos
from tests.pictures import picture, two_sizes, write_video

av = pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")

HEIGHT, WIDTH, FRAMES, RATE, HERTZ = 48, 64, 20, 20, 48000
BEEP = 0.5  # in seconds, of one second


@contextmanager
def film(
    file: Path, *, picture_codec: str = "mpeg4", pixels: str = "yuv420p", form: str | None = None
) -> Iterator[tuple[Any, Any]]:
    """A film of a second, to which the body adds other streams before any packet is written."""
    with av.open(str(file), "w", format=form) as writer:
        seen = writer.add_stream(picture_codec, rate=RATE)
        seen.width, seen.height, seen.pix_fmt = WIDTH, HEIGHT, pixels
        yield writer, seen
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(picture(number, HEIGHT, WIDTH), format="rgb24")
            writer.mux(seen.encode(frame))
        writer.mux(seen.encode(None))


def add_beep(writer: Any, codec: str) -> Callable[[], None]:
    """Add sound that is silent but for a beep; what is returned writes it."""
    heard = writer.add_stream(codec, rate=HERTZ, layout="mono")
    heard.bit_rate = 64000

    def write() -> None:
        times = np.arange(HERTZ) / HERTZ
        wave = np.where((times >= BEEP) & (times < BEEP + 0.1), 0.8 * np.sin(times * 5000), 0).astype(np.float32)
        for start in range(0, HERTZ, 1024):
            sound = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
            sound.rate, sound.pts, sound.time_base = HERTZ, start, Fraction(1, HERTZ)
            writer.mux(heard.encode(sound))
        writer.mux(heard.encode(None))

    return write


def add_subtitles(writer: Any, folder: Path, language: str) -> Callable[[], None]:
    """Add a subtitle; what is returned writes it."""
    (folder / "a.srt").write_text("1\n00:00:00,100 --> 00:00:00,400\nBonjour\n")
    reader = av.open(str(folder / "a.srt"))
    texts = writer.add_stream_from_template(reader.streams.subtitles[0])
    texts.metadata["language"] = language

    def write() -> None:
        with reader:
            for packet in reader.demux():
                if packet.dts is not None:
                    packet.stream = texts
                    writer.mux(packet)

    return write


def restore(file: Path) -> Path:
    out = file.parent / "out" / file.name
    videos.restore(file, out, lambda pixels: pixels)
    return out


def beep_of(file: Path) -> tuple[str, float, float]:
    """The codec of the sound, when the beep begins, and when the sound ends."""
    with av.open(str(file)) as reader:
        codec = reader.streams.audio[0].codec_context.name
        loud = [(frame.time, np.abs(frame.to_ndarray().astype(float)).max()) for frame in reader.decode(audio=0)]
    half = max(loudness for _, loudness in loud) / 2
    return (
        codec,
        next(time for time, loudness in loud if loudness > half),
        max(time for time, _ in loud if time is not None),
    )


@pytest.mark.parametrize(
    ("name", "codec", "expected", "form"),
    [
        ("a.avi", "ac3", "ac3", None),
        ("a.avi", "libmp3lame", "mp3float", None),
        ("a.avi", "aac", "pcm_s16le", None),
        ("a.avi", "adpcm_ms", "pcm_s16le", None),
        ("a.mkv", "wmav2", "flac", "asf"),
        ("a.mkv", "aac", "aac", None),
        ("a.webm", "aac", "opus", "matroska"),
    ],
)
def test_sound_keeps_its_time(
    name: str, codec: str, expected: str, form: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with film(tmp_path / name, form=form) as (writer, _):
        add_beep(writer, codec)()
    before, after = beep_of(tmp_path / name), beep_of(restore(tmp_path / name))
    assert after[0] == expected
    assert after[1:] == pytest.approx(before[1:], abs=0.1)
    assert before[1] == pytest.approx(BEEP, abs=0.1)
    assert ("became" in caplog.text) == (before[0] != expected)


TIMES = {"even": [n / RATE for n in range(FRAMES)], "uneven": [0, 0.05, 0.1, 0.3, 0.35, 0.6, 0.8, 0.85, 0.95]}


def timed_film(file: Path, codec: str, pixels: str, sound: str, times: list[float], start: float) -> None:
    """A film whose pictures have these times, in seconds, and whose times begin at ``start``."""
    base = Fraction(1, RATE if file.suffix == ".avi" else 1000)
    with av.open(str(file), "w") as writer:
        seen, heard = writer.add_stream(codec, rate=RATE), writer.add_stream(sound, rate=HERTZ, layout="mono")
        seen.width, seen.height, seen.pix_fmt, seen.time_base = WIDTH, HEIGHT, pixels, base
        seen.codec_context.time_base = base
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number, HEIGHT, WIDTH), format="rgb24")
            frame.pts, frame.time_base = round((time + start) / base), base
            writer.mux(seen.encode(frame))
        writer.mux(seen.encode(None))
        for first in range(0, HERTZ, 1024):
            wave = np.sin((first + np.arange(1024)) * 0.1).astype(np.float32)
            silent = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            silent.rate, silent.pts, silent.time_base = HERTZ, first + round(start * HERTZ), Fraction(1, HERTZ)
            writer.mux(heard.encode(silent))
        writer.mux(heard.encode(None))


def times_of(file: Path, kind: str) -> list[float]:
    with av.open(str(file)) as reader:
        return [frame.time for frame in reader.decode(**{kind: 0})]


@pytest.mark.parametrize("start", [0.0, 1.5])
@pytest.mark.parametrize("spacing", TIMES)
@pytest.mark.parametrize(
    ("name", "codec", "pixels", "sound"),
    [
        ("a.mp4", "libx264", "yuv420p", "aac"),
        ("a.mov", "mjpeg", "yuvj420p", "pcm_s16le"),
        ("a.m4v", "libx264", "yuv420p", "aac"),
        ("a.mkv", "libx264", "yuv420p", "aac"),
        ("a.webm", "libvpx-vp9", "yuv420p", "libopus"),
        ("a.avi", "mjpeg", "yuvj420p", "pcm_s16le"),
        ("a.avi", "rawvideo", "bgr24", "pcm_s16le"),
        ("a.avi", "mpeg4", "yuv420p", "libmp3lame"),
    ],
)
def test_pictures_and_sound_keep_their_times(
    name: str, codec: str, pixels: str, sound: str, spacing: str, start: float, tmp_path: Path
) -> None:
    timed_film(tmp_path / name, codec, pixels, sound, TIMES[spacing], start)
    new = restore(tmp_path / name)
    for kind in ("video", "audio"):
        before = times_of(tmp_path / name, kind)
        assert times_of(new, kind) == pytest.approx(before, abs=0.5 / RATE)
    assert len(before) > len(TIMES[spacing])


def test_the_frames_of_an_avi_keep_their_order_and_their_times(tmp_path: Path) -> None:
    """Of H.264 with B-frames, too, which AVI holds badly: the pictures are shown one after the other from the start."""
    with film(tmp_path / "a.avi", picture_codec="libx264"):
        pass
    new = restore(tmp_path / "a.avi")
    assert times_of(new, "video") == pytest.approx([number / RATE for number in range(FRAMES)])
    with av.open(str(new)) as reader:
        shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in reader.decode(video=0)]
    drawn = [picture(number, HEIGHT, WIDTH) for number in range(FRAMES)]
    assert [int(np.argmin([np.abs(one - other).mean() for other in drawn])) for one in shown] == list(range(FRAMES))


@pytest.mark.parametrize(("space", "wide"), [(1, 1), (5, 2)])  # BT.709 of 16 to 235, BT.601 of 0 to 255
def test_where_pixels_do_not_change_nothing_changes(space: int, wide: int) -> None:
    from deblurlab.restoring.videos.frames import restored_frame

    stored = np.random.default_rng(0).integers(16, 236, (HEIGHT * 3 // 2, WIDTH), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(stored, format="yuv420p")
    frame.colorspace, frame.color_range, frame.pts, frame.time_base = space, wide, 7, Fraction(1, 30)
    same = restored_frame(frame, lambda pixels: pixels, height=HEIGHT, width=WIDTH)
    np.testing.assert_array_equal(same.to_ndarray(), stored)
    assert (same.pts, same.time_base, same.colorspace, same.color_range) == (7, Fraction(1, 30), space, wide)

    def brighter_left(pixels: np.ndarray) -> np.ndarray:
        changed = pixels // 2
        changed[:, WIDTH // 2 :] = pixels[:, WIDTH // 2 :]
        return changed

    half = restored_frame(frame, brighter_left, height=HEIGHT, width=WIDTH).to_ndarray()
    np.testing.assert_array_equal(half[:HEIGHT, WIDTH // 2 + 2 :], stored[:HEIGHT, WIDTH // 2 + 2 :])
    assert half[:HEIGHT, : WIDTH // 2].mean() < 0.8 * stored[:HEIGHT, : WIDTH // 2].mean()


FORMS = ["yuv420p", "yuv422p", "yuv444p", "yuv444p10le", "rgb24", "gbrp", "gray"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("space", "wide"), [(1, 1), (1, 2), (5, 1), (5, 2)])
def test_the_brightness_of_each_pixel_stays_whatever_the_source_s_format(form: str, space: int, wide: int) -> None:
    """To a level of 255, in noise, too; grey stays grey, and the mean of each colour stays to a level."""
    from deblurlab.restoring.videos.frames import restored_frame

    rgb = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    if form == "gray":
        rgb[:] = rgb[..., :1]
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    frame = frame.reformat(format=form, dst_colorspace=space, dst_color_range=wide, interpolation=films.EXACTLY)
    frame.colorspace, frame.color_range, frame.pts, frame.time_base = space, wide, 0, Fraction(1, RATE)
    stored = restored_frame(frame, lambda pixels: pixels, height=HEIGHT, width=WIDTH).to_ndarray()
    brightness, colours = stored[:HEIGHT].astype(float), stored[HEIGHT:].reshape(2, -1)
    of_red, of_blue = (0.2126, 0.0722) if space == 1 else (0.299, 0.114)
    red, green, blue = rgb.transpose(2, 0, 1).astype(float)
    y = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    u, v = (blue - y) / (2 * (1 - of_blue)), (red - y) / (2 * (1 - of_red))
    if wide == 1:
        y, u, v = 16 + y * 219 / 255, u * 224 / 255, v * 224 / 255
    # of 10 bits, FFmpeg makes 8 by a division by 4, where white is 1023 and 255, too
    assert np.abs(brightness - y).max() < (1.6 if form.endswith("10le") else 1.0)
    for found, right in zip(colours, (u, v), strict=True):
        assert abs(found.mean() - 128 - right.mean()) < 1
    if form == "gray":
        assert (colours == 128).all()


def test_a_written_film_of_noise_keeps_its_brightness_and_its_colours(tmp_path: Path) -> None:
    """Of noise in 4:4:4, written by H.264, which is not lossless: their means stay to a level of 255."""
    noise = list(np.random.default_rng(0).integers(0, 256, (4, HEIGHT, WIDTH, 3), dtype=np.uint8))
    new = restore(write_video(tmp_path / "a.mkv", noise, codec="ffv1", pixels="yuv444p"))
    means = [
        np.mean([films.in_rgb(frame) for frame in films.frames(file)], axis=(0, 1, 2))
        for file in (tmp_path / "a.mkv", new)
    ]
    assert means[1] == pytest.approx(means[0], abs=1)


def test_shape_and_descriptions_are_carried_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    known = {"title": "A title", "creation_time": "2026-01-01T00:00:00.000000Z", "location": "+47.0000+008.0000/"}
    with film(tmp_path / "a.mp4", picture_codec="libx264") as (writer, seen):
        seen.codec_context.sample_aspect_ratio = Fraction(64, 45)
        writer.metadata.update(known)
        start = {"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}}
        writer.set_chapters([start])
    with av.open(str(restore(tmp_path / "a.mp4"))) as reader:
        assert known.items() <= reader.metadata.items()
        assert [chapter["metadata"] for chapter in reader.chapters()] == [{"title": "One"}]
        assert reader.streams.video[0].sample_aspect_ratio == Fraction(64, 45)
    assert caplog.text == ""


def test_subtitles_are_carried_over_with_their_language(tmp_path: Path) -> None:
    with film(tmp_path / "a.mkv") as (writer, _):
        add_subtitles(writer, tmp_path, "fra")()
    with av.open(str(restore(tmp_path / "a.mkv"))) as reader:
        (found,) = reader.streams.subtitles
        assert found.metadata["language"] == "fra"
        packet = next(reader.demux(found))
        assert (bytes(packet), packet.pts * packet.time_base) == (b"Bonjour", Fraction(1, 10))


def test_what_is_not_carried_over_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with film(tmp_path / "a.avi", picture_codec="libx264", pixels="yuv444p10le", form="matroska") as (writer, _):
        writer.metadata["director"] = "nobody"
        add_subtitles(writer, tmp_path, "eng")()
    restore(tmp_path / "a.avi")
    (line,) = caplog.messages
    colours = "colours became those of blocks of 2x2 pixels (4:2:0)"
    assert line.startswith(f"{tmp_path / 'a.avi'}: 10 bits per colour became 8; {colours}; stream 1 (subtitle ")
    assert "DIRECTOR=nobody is left out" in line


def test_a_video_of_one_row_is_named(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as writer:
        seen = writer.add_stream("ffv1", rate=RATE)
        seen.width, seen.height, seen.pix_fmt = 64, 1, "yuv444p"
        writer.mux(seen.encode(av.VideoFrame.from_ndarray(picture(0, 1, 64), format="rgb24")))
        writer.mux(seen.encode(None))
    with pytest.raises(ValueError, match=r"a\.mkv is 64x1: videos are written from 2x2 pixels on"):
        restore(tmp_path / "a.mkv")
    assert not list((tmp_path / "out").glob("*"))


def test_a_still_scene_does_not_flicker(real_data: Path, tmp_path: Path) -> None:
    """The mean brightness of the frames of a still, noisy scene varies by no more than that of the source's frames.

    With B-frames it varied by 0.07 to 0.11 grey levels, and that of such sources by 0.02 to 0.09, as their noise does.
    """
    restorer = load_restorer("photographs", device="cpu")
    random, scene = np.random.default_rng(0), decode_file(real_data / "kodak/19.png")[300:396, 200:328]
    noisy = [(scene + random.normal(0, 4, scene.shape)).clip(0, 255).astype(np.uint8) for _ in range(12)]
    file = write_video(tmp_path / "a.mp4", noisy, rate=24, codec="libx264", pixels="yuv420p", options={"crf": "10"})
    videos.restore(file, tmp_path / "b.mp4", restorer.restore)
    assert brightness(tmp_path / "b.mp4").std() <= brightness(file).std()


def brightness(file: Path) -> np.ndarray:
    """The mean luma of each frame."""
    with av.open(str(file)) as reader:
        return np.array([frame.to_ndarray(format="gray").mean() for frame in reader.decode(video=0)])


def test_a_video_that_changes_its_size_is_named(tmp_path: Path) -> None:
    file = two_sizes(tmp_path / "a.mkv")
    with pytest.raises(ValueError, match=r"a\.mkv, frame 2: the video's size changes from 64x48 to 32x24"):
        restore(file)
    assert not list((tmp_path / "out").glob("*"))
