"""The keys that have several values in a sweep. They are written when the sweep starts, and read by each of its jobs.

A job gets a single value of each key from Hydra, and cannot know which of the keys differ between the jobs.
"""

import json
from pathlib import Path

from hydra.conf import HydraConf

from deblurlab.app.invocation import parse_overrides
from deblurlab.files.whole_file import write_whole_json

_NAME = "sweep.json"


def save_swept_keys(hydra: HydraConf, sweep: Path) -> None:
    """Save the swept keys, from the command line and a sweep file's ``hydra.sweeper.params``, in the sweep's folder.

    Args:
        hydra: Hydra's settings of the whole sweep.
        sweep: The sweep's folder.
    """
    params = [f"{key}={value}" for key, value in (hydra.sweeper.params or {}).items()]
    overrides = parse_overrides([*params, *hydra.overrides.task])
    swept = dict.fromkeys(one.get_key_element() for one in overrides if one.is_sweep_override())
    write_whole_json(sweep / _NAME, {"swept": list(swept)})


def read_swept_keys(sweep: Path) -> set[str]:
    """The keys that have several values in the sweep of this folder.

    Raises:
        ValueError: If its file is damaged; the message names it.
    """
    file = sweep / _NAME
    try:
        return set(json.loads(file.read_text(encoding="utf-8"))["swept"])
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{file} is damaged: {error!r}. Start the sweep again, which writes it.") from error
