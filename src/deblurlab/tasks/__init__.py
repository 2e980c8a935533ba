"""Tasks: how a network is trained and scored."""

from deblurlab.tasks.autoencoder import Autoencoder
from deblurlab.tasks.wgan_gp import WGANGP

__all__ = ["WGANGP", "Autoencoder"]
