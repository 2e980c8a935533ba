"""Tasks, which train a network and score it: by a content loss alone, or against a critic as well."""

from deblurlab.tasks.autoencoder import Autoencoder
from deblurlab.tasks.wgan_gp import WGANGP

__all__ = ["WGANGP", "Autoencoder"]
