"""Checks that a command line chooses files from groups by name. Hydra's own error for other values names no key."""

import shutil
from collections.abc import Sequence

from hydra.core.override_parser.types import QuotedString
from hydra.errors import OverrideParseException

from deblurlab.app.invocation import parse_overrides
from deblurlab.app.options import config_folders, without_options

_NEEDED = ("data", "model", "trainer")  # of other groups, such as callbacks, [] chooses no file


def check_choices(arguments: Sequence[str]) -> None:
    """Refuse choices that are not names of files, such as ``callbacks=[1]`` and ``model=null``, and ``~model``.

    It also refuses Slurm's launcher on a machine without Slurm.

    Args:
        arguments: The command line without the program's name.

    Raises:
        ValueError: If there is such a choice.
    """
    try:
        overrides = parse_overrides(without_options(arguments))
    except OverrideParseException:  # Hydra will report it
        return
    for override in overrides:
        if override.input_line == "hydra/launcher=submitit_slurm" and shutil.which("srun") is None:
            raise ValueError(
                f"{override.input_line}: this machine has no srun, so it is not a node of a Slurm cluster. "
                "hydra/launcher=joblib runs several jobs at a time here."
            )
        group = override.get_key_element().lstrip("+~").partition("@")[0]
        folders = [folder / group for folder in config_folders(arguments) if group and (folder / group).is_dir()]
        if override.is_sweep_override() or not folders:
            continue
        value = [] if override.is_delete() else override.value()
        names = value if isinstance(value, list) else [value]
        if not all(isinstance(name, str | QuotedString) for name in names) or (group in _NEEDED and not names):
            options = ", ".join(sorted({file.stem for folder in folders for file in folder.glob("*.yaml")}))
            if override.is_delete():
                raise ValueError(
                    f"{override.input_line}: {group} cannot be removed. Choose {group}=..., one of {options}."
                )
            raise ValueError(f"{override.input_line}: choose one of {options}.")
