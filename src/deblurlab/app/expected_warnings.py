"""Warnings of Lightning about what deblurlab does on purpose, or cannot help."""

import warnings

_EXPECTED = (
    ".*Checkpoint directory .* exists and is not empty.*",  # a resumed run continues in its folder
    ".*is smaller than the logging interval.*",  # the mean of the epoch is logged anyway
    ".*It is recommended to use .self.log.*sync_dist=True.*",  # what is logged without it is the same in all processes
    ".*LeafSpec.* is deprecated.*",  # Lightning 2.6 with torch 2.14; it works
)


def ignore_expected_warnings() -> None:
    """Silence them in this process."""
    for pattern in _EXPECTED:
        warnings.filterwarnings("ignore", pattern)
