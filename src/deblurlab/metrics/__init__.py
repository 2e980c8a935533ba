"""Metrics of restored images.

Commands read the table in :mod:`deblurlab.metrics.scores` before they need torch. Therefore this package imports the
functions that compute the scores only when they are used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deblurlab.metrics.means import ImageScores, score

__all__ = ["ImageScores", "score"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from deblurlab.metrics import means

    return getattr(means, name)
