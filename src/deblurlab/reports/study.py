"""The study's test scores, from its slides: M. Orlandi, G. Pinardi, "Application of Deep Learning on Image Deblurring".

In the slides' units: loss in 1e-4 (of the autoencoders alone), MSE in 1e-3, MAE in 1e-2.
"""

from deblurlab.run.results import COLUMNS

TITLES = {
    "resnet16": "ResNet16",
    "unet16": "UNet16",
    "rednet30": "REDNet30",
    "msdeblur_wgan": "MSDeblurWGAN",
    "rednet30_wgan": "REDNet30WGAN",
    "blurred": "blurred input",
}

# Images, or whole frames, of the published test sets.
TEST_IMAGES = {"cifar10": 10_000, "reds": 3_000, "gopro": 1_111}

# table -> network -> loss, SSIM, PSNR, MSE, MAE
_SLIDES: dict[str, dict[str, tuple[float | None, ...]]] = {
    "CIFAR-10": {
        "resnet16": (9.794, 0.9034, 29.09, 1.965, 2.888),
        "unet16": (10.44, 0.9001, 29.32, 2.095, 2.898),
        "rednet30": (6.966, 0.9258, 33.52, 1.398, 2.165),
        "msdeblur_wgan": (None, 0.9054, 31.49, 1.734, 2.471),
        "rednet30_wgan": (None, 0.9012, 31.98, 1.900, 2.482),
        "blurred": (34.48, 0.7135, 24.67, 6.317, 4.517),
    },
    "REDS 512x288": {
        "resnet16": (8.669, 0.8554, 29.49, 1.742, 2.536),
        "unet16": (8.763, 0.8646, 30.41, 1.761, 2.312),
        "rednet30": (5.793, 0.8976, 31.98, 1.163, 1.884),
        "blurred": (19.54, 0.8237, 28.80, 2.594, 2.118),
    },
    "REDS 256x144": {
        "msdeblur_wgan": (None, 0.8031, 27.11, 1.729, 2.495),
        "blurred": (None, 0.8359, 27.68, 3.120, 2.390),
    },
}


def study_scores(table: str) -> dict[str, dict[str, float]]:
    """Network to scores in plain units, as metrics.json has them; empty for a table that the study does not have."""
    return {
        network: {
            column.key: value / column.factor
            for column, value in zip(COLUMNS, values, strict=True)
            if value is not None
        }
        for network, values in _SLIDES.get(table, {}).items()
    }


def study_tables() -> tuple[str, ...]:
    """The study's tables, in its order."""
    return tuple(_SLIDES)
