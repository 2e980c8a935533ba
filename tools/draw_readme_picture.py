"""Draws README's picture: a photograph, blurred as by a shaken camera, restored by shipped weights, and sharp.

    python tools/draw_readme_picture.py docs/astronaut.jpg
    python tools/draw_readme_picture.py FILE.jpg weights=RUN photograph=MINE.jpg shake=12 seed=1

The photograph is one that scikit-image bundles (NASA, public domain) unless another is named. It is shown whole, with
the scores of each version.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from skimage import data

from deblurlab import pictures
from deblurlab.data import CameraBlur
from deblurlab.data.blur.windows import Window
from deblurlab.restoring import load_restorer
from deblurlab.run.figures import captions


def main(file: str, *, weights: str = "photographs", photograph: str = "", shake: str = "9", seed: str = "0") -> None:
    """Write the picture to ``file``, a PNG or JPEG, as a camera takes it that shakes over ``shake`` pixels."""
    pixels = pictures.read_file(Path(photograph)).upright() if photograph else data.astronaut()
    off = dict.fromkeys(("objects", "defocus", "gaussian", "sharp", "highlights", "dark", "noise", "jpeg"), 0.0)
    camera = CameraBlur(**off, shake_pixels=(float(shake), float(shake)))  # type: ignore[arg-type]
    whole = Window(0, 0, *pixels.shape[:2])
    shaken, sharp = camera.pair(pixels, whole, np.random.default_rng(int(seed)))
    restored = load_restorer(weights).restore(shaken)
    taken = {"Blurred": shaken, "Restored": restored, "Sharp": sharp}
    versions = {title: torch.from_numpy(one).permute(2, 0, 1)[None] / 255 for title, one in taken.items()}
    height, width = sharp.shape[:2]
    figure = Figure(figsize=(11.4, 3.8 * height / width + 0.4), layout="constrained")
    for axes, (title, images) in zip(figure.subplots(1, 3), versions.items(), strict=True):
        (scores,) = captions(images, versions["Sharp"])
        axes.imshow(images[0].permute(1, 2, 0).numpy(), interpolation="lanczos")
        axes.set_title(f"{title}: {scores}" if scores else title, fontsize=12)
        axes.axis("off")
    figure.savefig(file, dpi=100)


if __name__ == "__main__":
    main(sys.argv[1], **dict(word.split("=", 1) for word in sys.argv[2:]))
