"""Metrics of restored images."""

from deblurlab.metrics.image import ImageScores, score

__all__ = ["ImageScores", "score"]
