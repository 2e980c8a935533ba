"""Writes a test set with drawn blur as pairs of picture files, which other programs can read."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from deblurlab import pictures
from deblurlab.data.blur.windows import Window
from deblurlab.data.sources.pair_source import PairSource, cut_out
from deblurlab.files.whole_file import whole_file


def write_test_pairs(source: PairSource, out: Path, *, progress: Callable[[int], None]) -> int:
    """Write each frame of a test as the test scores it: ``out/test/blurred/NAME.png`` and ``out/test/sharp/NAME.png``.

    Args:
        source: The frames of the split "test".
        out: The folder. Existing files are overwritten.
        progress: Called with 1 after each frame.

    Returns:
        The number of pairs.

    Raises:
        ValueError: If a picture cannot be read, or two pictures have the same name.
    """
    names = [_without_suffix(source.name(frame)) for frame in range(len(source.groups))]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        file = out / "test" / "sharp" / f"{twice[0]}.png"
        raise ValueError(f"{file} would be written twice, for two pictures of one name: rename one of them.")
    for frame, name in enumerate(names):
        pixels = source.read(frame, 0)
        window = Window(0, 0, *pixels.sharp.shape[:2])
        pair = cut_out(source, pixels, window, frame=frame, epoch=0, number=frame)
        for side, image in zip(("blurred", "sharp"), pair, strict=True):
            with whole_file(out / "test" / side / f"{name}.png") as partial:
                Image.fromarray(image).save(partial, "PNG")
        progress(1)
    return len(names)


def _without_suffix(name: str) -> str:
    """A picture's name without the suffix of its format. Pairs' names have none, but may have a dot before a number."""
    path = Path(name)
    return (path.with_suffix("") if path.suffix.lower() in pictures.SUFFIXES else path).as_posix()
