from pathlib import Path

import pytest

from deblurlab.callbacks import TimedCheckpoint


@pytest.mark.parametrize(
    "settings", [{"folder": "outputs/run"}, {"file": "outputs/run/checkpoints/last.ckpt", "minutes": 15}]
)
def test_it_writes_the_last_checkpoint_of_the_run(settings: dict[str, str]) -> None:
    """Named by the run's folder, or, as configurations of version 0.1 have it, by its file."""
    assert TimedCheckpoint(**settings).file == Path("outputs/run/checkpoints/last.ckpt")  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{}, {"folder": ""}, {"folder": None}])
def test_a_missing_folder_is_refused(settings: dict[str, str]) -> None:
    """Without one, it would write its checkpoints to the working directory, where no run looks for them."""
    with pytest.raises(ValueError, match=r"TimedCheckpoint needs the run's folder: write folder: \$\{run\}"):
        TimedCheckpoint(**settings)  # type: ignore[arg-type]
