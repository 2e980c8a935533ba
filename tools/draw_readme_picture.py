"""Draws README's picture: a photograph that scikit-image bundles, blurred, restored by shipped weights, and sharp.

    python tools/draw_readme_picture.py docs/astronaut.jpg

The photograph (NASA, public domain) is blurred by a Gaussian of sigma 2, which the weights ``cifar10_unet16`` know from
their training. The titles give the scores of each.
"""

import sys

import numpy as np
import torch
from matplotlib.figure import Figure
from skimage import data

from deblurlab.app import build
from deblurlab.data.blur.gaussian import gaussian_blur, gaussian_kernels, kernel_size
from deblurlab.metrics.image import psnr, ssim
from deblurlab.run import weights

SIGMA = 2.0
SIDE = 384  # pixels of the part of the photograph that is shown


def main(file: str) -> None:
    """Write the picture to ``file``, a PNG or JPEG."""
    sharp = torch.from_numpy(data.astronaut()[:SIDE, 40 : 40 + SIDE].copy()).permute(2, 0, 1)[None]
    kernel = torch.from_numpy(gaussian_kernels(np.array([SIGMA]), int(kernel_size(SIGMA))))
    blurred = gaussian_blur(sharp, kernel) / 255
    sharp = sharp / 255
    restored = build.restorer(weights.load("cifar10_unet16"))(blurred).clamp(0, 1)
    figure = Figure(figsize=(11.4, 4.2), layout="constrained")
    pictures = {"Blurred": blurred, "Restored": restored, "Sharp": sharp}
    for axes, (title, images) in zip(figure.subplots(1, 3), pictures.items(), strict=True):
        scores = f": PSNR {float(psnr(images, sharp)):.1f} dB, SSIM {float(ssim(images, sharp)):.3f}"
        axes.imshow(images[0].permute(1, 2, 0).numpy(), interpolation="lanczos")
        axes.set_title(title + (scores if title != "Sharp" else ""), fontsize=12)
        axes.axis("off")
    figure.savefig(file, dpi=100)


if __name__ == "__main__":
    main(sys.argv[1])
