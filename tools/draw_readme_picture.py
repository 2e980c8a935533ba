"""Draws README's picture: a photograph, blurred, restored by shipped weights, and sharp, with the scores of each.

    python tools/draw_readme_picture.py docs/astronaut.jpg                      # the weights that README names
    python tools/draw_readme_picture.py FILE.jpg weights=cifar10_best photograph=MINE.jpg sigma=2.5

The photograph is one that scikit-image bundles (NASA, public domain) unless another is named. It is shown whole.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from skimage import data

from deblurlab import pictures
from deblurlab.data.blur.gaussian import gaussian_blur, gaussian_kernels, kernel_size
from deblurlab.restoring import load_restorer
from deblurlab.run.figures import captions


def main(file: str, *, weights: str = "cifar10_unet16", photograph: str = "", sigma: str = "2") -> None:
    """Write the picture to ``file``, a PNG or JPEG; the photograph is blurred by a Gaussian of ``sigma`` pixels."""
    pixels = pictures.read_file(Path(photograph)).upright() if photograph else data.astronaut()
    sharp = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]
    kernel = torch.from_numpy(gaussian_kernels(np.array([float(sigma)]), int(kernel_size(float(sigma)))))
    blurred = gaussian_blur(sharp, kernel)
    restored = load_restorer(weights).restore(blurred[0].permute(1, 2, 0).byte().numpy())
    versions = {"Blurred": blurred / 255, "Restored": torch.from_numpy(restored).permute(2, 0, 1)[None] / 255}
    versions["Sharp"] = sharp / 255
    height, width = sharp.shape[-2:]
    figure = Figure(figsize=(11.4, 3.8 * height / width + 0.4), layout="constrained")
    for axes, (title, images) in zip(figure.subplots(1, 3), versions.items(), strict=True):
        (scores,) = captions(images, versions["Sharp"])
        axes.imshow(images[0].permute(1, 2, 0).numpy(), interpolation="lanczos")
        axes.set_title(f"{title}: {scores}" if scores else title, fontsize=12)
        axes.axis("off")
    figure.savefig(file, dpi=100)


if __name__ == "__main__":
    main(sys.argv[1], **dict(word.split("=", 1) for word in sys.argv[2:]))
