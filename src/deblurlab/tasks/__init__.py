"""Tasks: how a network is trained and scored."""

from deblurlab.tasks.autoencoder import Autoencoder

__all__ = ["Autoencoder"]
