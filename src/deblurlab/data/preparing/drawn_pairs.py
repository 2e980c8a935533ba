"""A test set of drawn blur, written as pairs that any program reads."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from deblurlab.data.blur.windows import Window
from deblurlab.data.sources.pair_source import PairSource, cut_out
from deblurlab.files.whole_file import whole_file


def write_test_pairs(source: PairSource, out: Path, *, progress: Callable[[int], None]) -> int:
    """Writes each frame of a test as the test scores it: ``out/test/blurred/NAME.png`` and ``out/test/sharp/NAME.png``.

    Args:
        source: The frames of the split "test".
        out: The folder. Files that it holds are written anew.
        progress: Called with 1 after each frame.

    Returns:
        How many pairs there are.

    Raises:
        ValueError: naming a picture that cannot be read.
    """
    for frame in range(len(source.groups)):
        pixels = source.read(frame, 0)
        window = Window(0, 0, *pixels.sharp.shape[:2])
        pair = cut_out(source, pixels, window, frame=frame, epoch=0, number=frame)
        for side, image in zip(("blurred", "sharp"), pair, strict=True):
            file = (out / "test" / side / source.name(frame)).with_suffix(".png")
            with whole_file(file) as partial:
                Image.fromarray(image).save(partial, "PNG")
        progress(1)
    return len(source.groups)
