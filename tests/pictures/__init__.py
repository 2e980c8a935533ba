"""Small data sets made of smooth random pictures, in the layouts that deblurlab reads."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from deblurlab.data import Layout

REDS_LAYOUT = Layout(
    title="REDS",
    page="https://example.org/reds",
    train=("train/train_blur/{sequence}", "train/train_sharp/{sequence}"),
    test=("val/val_blur/{sequence}", "val/val_sharp/{sequence}"),
    example=("000", "00000000.png"),
    published=(24000, 3000),
)


def picture(seed: int, height: int = 36, width: int = 64) -> npt.NDArray[np.uint8]:
    """A random picture with structure at several scales, (H, W, 3)."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((width, height))
    fine = rng.integers(-20, 21, (height, width, 3))
    return (np.asarray(coarse).astype(np.int64) + fine).clip(0, 255).astype(np.uint8)


def write_reds(root: Path, *, sequences: int, frames: int, test_sequences: int) -> Path:
    """Write a REDS tree of pictures to ``root``; returns it."""
    seed = 0
    for split, count in (("train", sequences), ("val", test_sequences)):
        for sequence in range(count):
            for frame in range(frames):
                sharp = Image.fromarray(picture(seed))
                seed += 1
                for side, image in (("sharp", sharp), ("blur", sharp.filter(ImageFilter.GaussianBlur(2)))):
                    file = root / split / f"{split}_{side}" / f"{sequence:03}" / f"{frame:08}.png"
                    file.parent.mkdir(parents=True, exist_ok=True)
                    image.save(file)
    return root


def write_pictures(root: Path, kind: str) -> Path:
    """Ten pictures of two shapes in the layout of :class:`Folder`: photographs, pairs, or both."""
    for number in range(10):
        sharp = Image.fromarray(picture(number, *((40, 70), (70, 40))[number % 3 == 0]))
        sides = {"photographs": sharp} if kind != "pairs" else {}
        if kind != "photographs":
            sides |= {"sharp": sharp, "blurred": sharp.filter(ImageFilter.GaussianBlur(2))}
        for side, image in sides.items():
            file = root / ("" if kind == "photographs" else side) / f"{number:02}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            image.save(file)
    return root


def write_video(
    file: Path,
    frames: Sequence[npt.NDArray[np.uint8]],
    *,
    rate: int = 240,
    codec: str = "ffv1",
    pixels: str = "bgr0",
    options: Mapping[str, str] = {},
) -> Path:
    """Write RGB frames as a video, without loss by default; returns the file. It needs PyAV."""
    import av

    with av.open(str(file), "w") as writer:
        stream = writer.add_stream(codec, rate=rate)
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], pixels
        stream.options = dict(options)
        for frame in frames:
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        writer.mux(stream.encode(None))
    return file


def panned(seed: int, count: int, *, step: int = 3, height: int = 48, width: int = 64) -> list[npt.NDArray[np.uint8]]:
    """What a camera sees that pans over a random picture by ``step`` pixels per frame."""
    wide = picture(seed, height, width + count * step + 1)
    return [wide[:, number * step : number * step + width] for number in range(count)]


def two_sizes(file: Path) -> Path:
    """Write a video of two frames of 64x48 and one of 32x24; returns the file. It needs PyAV."""
    import av

    with av.open(str(file), "w") as writer:
        stream = writer.add_stream("mjpeg", rate=240)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number, (height, width) in enumerate([(48, 64), (48, 64), (24, 32)]):
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
            encoder.time_base = Fraction(1, 240)
            frame = av.VideoFrame.from_ndarray(picture(number, height, width), format="rgb24").reformat(
                format="yuvj420p"
            )
            for packet in encoder.encode(frame) + encoder.encode(None):
                packet.stream, packet.pts, packet.dts = stream, number, number
                writer.mux(packet)
    return file
