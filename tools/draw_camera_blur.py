"""Draws the picture of docs/data.md: what each stage of `data/blur=camera` does to a photograph.

    python tools/draw_camera_blur.py docs/camera_blur.jpg

The photograph (NASA, public domain) comes with scikit-image. White curves are paths of points of light, magnified.
"""

import sys

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from skimage import data
from torch import Tensor

from deblurlab.data.blur.compression import compressed
from deblurlab.data.blur.defocus import convolved, disc
from deblurlab.data.blur.light import to_light, to_pixels
from deblurlab.data.blur.sensor import noisy, read_noise, with_highlights
from deblurlab.data.blur.shaking import Camera, shaken, with_moving_object
from deblurlab.data.blur.windows import Window, cut, trimmed

PART = Window(0, 90, 300, 300)
PIXELS = 18.0  # the length of the paths
MAGNIFIED = 2


def seen(window: Window) -> Tensor:
    return to_light(cut(data.astronaut(), window))


def with_lamps(window: Window) -> Tensor:
    return with_highlights(seen(window), 8.0)


def camera(seed: int, pixels: float = PIXELS) -> Camera:
    return Camera((512, 512), pixels, np.random.default_rng(seed))


def draw_paths(axes: Axes, shake: Camera) -> None:
    fields = shake.motion(PART).fields().numpy()
    for row in (40, 150, 260):
        for column in (40, 150, 260):
            path = np.array((column, row)) + MAGNIFIED * shake.path @ fields[:, row, column]
            axes.plot(*path.T, color="white", linewidth=1.5)


def main(file: str) -> None:
    """Write the picture to ``file``, a PNG or JPEG."""
    rng = np.random.default_rng(0)
    wide, margin = PART.wider(12), 12
    panels = {
        "Sharp": seen(PART),
        "Shake": shaken(seen, PART, camera(1)),
        "Shake, mostly a roll": shaken(seen, PART, camera(18)),
        "An object that moves": with_moving_object(seen, PART, camera(3, 0.0), 24.0, np.random.default_rng(4)),
        "Defocus": trimmed(convolved(seen(wide), disc(6.0, rim=0.6, rings=0.2)), margin),
        "Shake, white is white": shaken(seen, PART, camera(5)),
        "Shake, white is 8 times as bright": shaken(with_lamps, PART, camera(5)),
        "A quarter of the light, 500 photons": noisy(seen(PART) / 4, photons=500, read=read_noise(500), rng=rng),
    }
    pictures = {title: to_pixels(light) for title, light in panels.items()}
    pictures["JPEG of quality 60"] = compressed(pictures["Sharp"], quality=60, subsampled=True)
    figure = Figure(figsize=(12, 12.6), layout="constrained")
    for axes, (title, pixels) in zip(figure.subplots(3, 3).flat, pictures.items(), strict=True):
        axes.imshow(pixels, interpolation="nearest")
        axes.set_title(title, fontsize=12)
        axes.axis("off")
    for place, seed in ((1, 1), (2, 18), (5, 5), (6, 5)):
        draw_paths(figure.axes[place], camera(seed))
    figure.savefig(file, dpi=100)


if __name__ == "__main__":
    main(sys.argv[1])
