"""The study's test scores, from its slides: M. Orlandi, G. Pinardi, "Application of Deep Learning on Image Deblurring".

The slides give the loss of the autoencoders only.
"""

TITLES = {
    "resnet16": "ResNet16",
    "unet16": "UNet16",
    "rednet30": "REDNet30",
    "msdeblur_wgan": "MSDeblurWGAN",
    "rednet30_wgan": "REDNet30WGAN",
    "blurred": "blurred input",
}

# The numbers of images, or whole frames, of the published test sets.
TEST_IMAGES = {"cifar10": 10_000, "reds": 3_000, "gopro": 1_111, "reds_full": 3_000, "gopro_full": 1_111}

# The scores of each network in each table, in plain units as in metrics.json.
_SLIDES: dict[str, dict[str, dict[str, float]]] = {
    "CIFAR-10": {
        "resnet16": {"loss": 9.794e-4, "ssim": 0.9034, "psnr": 29.09, "mse": 1.965e-3, "mae": 2.888e-2},
        "unet16": {"loss": 10.44e-4, "ssim": 0.9001, "psnr": 29.32, "mse": 2.095e-3, "mae": 2.898e-2},
        "rednet30": {"loss": 6.966e-4, "ssim": 0.9258, "psnr": 33.52, "mse": 1.398e-3, "mae": 2.165e-2},
        "msdeblur_wgan": {"ssim": 0.9054, "psnr": 31.49, "mse": 1.734e-3, "mae": 2.471e-2},
        "rednet30_wgan": {"ssim": 0.9012, "psnr": 31.98, "mse": 1.900e-3, "mae": 2.482e-2},
        "blurred": {"loss": 34.48e-4, "ssim": 0.7135, "psnr": 24.67, "mse": 6.317e-3, "mae": 4.517e-2},
    },
    "REDS 512x288": {
        "resnet16": {"loss": 8.669e-4, "ssim": 0.8554, "psnr": 29.49, "mse": 1.742e-3, "mae": 2.536e-2},
        "unet16": {"loss": 8.763e-4, "ssim": 0.8646, "psnr": 30.41, "mse": 1.761e-3, "mae": 2.312e-2},
        "rednet30": {"loss": 5.793e-4, "ssim": 0.8976, "psnr": 31.98, "mse": 1.163e-3, "mae": 1.884e-2},
        "blurred": {"loss": 19.54e-4, "ssim": 0.8237, "psnr": 28.80, "mse": 2.594e-3, "mae": 2.118e-2},
    },
    "REDS 256x144": {
        "msdeblur_wgan": {"ssim": 0.8031, "psnr": 27.11, "mse": 1.729e-3, "mae": 2.495e-2},
        "blurred": {"ssim": 0.8359, "psnr": 27.68, "mse": 3.120e-3, "mae": 2.390e-2},
    },
}


def study_scores(table: str) -> dict[str, dict[str, float]]:
    """The scores of each network in a table, in plain units as in metrics.json; empty if there is no such table."""
    return _SLIDES.get(table, {})


def study_tables() -> tuple[str, ...]:
    """The titles of the study's tables, in order."""
    return tuple(_SLIDES)
