"""Lightning's warnings about things that deblurlab does on purpose or cannot change."""

import warnings

_EXPECTED = (
    ".*Checkpoint directory .* exists and is not empty.*",  # a resumed run continues in its folder
    ".*is smaller than the logging interval.*",  # the mean of the epoch is logged anyway
    ".*It is recommended to use .self.log.*sync_dist=True.*",  # values logged without it are equal in all processes
    ".*could not find the monitored key.*",  # no validation yet; at the end, a line of ours says so
    ".*LeafSpec.* is deprecated.*",  # Lightning 2.6 with torch 2.14; it works
)


def ignore_expected_warnings() -> None:
    """Silence these warnings in this process."""
    for pattern in _EXPECTED:
        warnings.filterwarnings("ignore", pattern)
