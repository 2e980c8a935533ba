"""How a command starts: Hydra composes its configuration, and a user's mistake ends in one message."""

import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import CompactHydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from deblurlab.runs import evaluation_folder, run_folder, run_group

for resolver in (run_folder, run_group, evaluation_folder):
    OmegaConf.register_new_resolver(resolver.__name__, resolver, use_cache=True, replace=True)


def command(config_name: str) -> Callable[[Callable[[DictConfig], Any]], Callable[[], None]]:
    """Make a function of the configuration a Hydra application.

    What a user can mend, a ValueError or OSError of ours or a configuration that Hydra or Lightning refuses,
    ends in its message alone. ``HYDRA_FULL_ERROR=1`` shows the traceback.
    """

    def decorate(task: Callable[[DictConfig], Any]) -> Callable[[], None]:
        conf = str(Path(__file__).parent / "conf")
        main = hydra.main(version_base="1.3", config_path=conf, config_name=config_name)(task)

        @functools.wraps(task)
        def application() -> None:
            if os.environ.get("HYDRA_FULL_ERROR") == "1":
                main()
                return
            os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on instead of printing its own selection
            try:
                main()
            except SystemExit as error:
                if type(error).__name__ != "SIGTERMException":  # Lightning's; it would end in success
                    raise
                print("terminated (SIGTERM): ckpt_path=last goes on from the last checkpoint.", file=sys.stderr)
                sys.exit(128 + signal.SIGTERM)
            except Exception as error:
                if not _mendable(error):
                    raise
                message = str(error).removeprefix("ValueError raised while resolving interpolation: ")
                if isinstance(error, OverrideParseException) and "=" in error.override:
                    key, _, value = error.override.partition("=")
                    message = (
                        f"Hydra cannot read {error.override}. A value with spaces, quotes or signs other than a-z 0-9 "
                        f"goes into two pairs of quotes: '{key}=\"{value}\"'"
                    )
                sys.exit(f"error: {message}\n(HYDRA_FULL_ERROR=1 shows where.)")

        return application

    return decorate


def _mendable(error: Exception) -> bool:
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    return isinstance(
        error, ValueError | OSError | CompactHydraException | OmegaConfBaseException | MisconfigurationException
    )
