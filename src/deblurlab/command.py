"""How a command starts: Hydra composes its configuration, and a user's mistake ends in one message."""

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import CompactHydraException
from omegaconf import DictConfig, OmegaConf

from deblurlab.runs import evaluation_folder, run_folder

for resolver in (run_folder, evaluation_folder):
    OmegaConf.register_new_resolver(resolver.__name__, resolver, use_cache=True, replace=True)

log = logging.getLogger(__name__)


def command(config_name: str) -> Callable[[Callable[[DictConfig], Any]], Callable[[], Any]]:
    """Make a function of the configuration a Hydra application.

    A ValueError or OSError is the user's to mend: its message alone is shown, the traceback goes to the
    run's log file. ``HYDRA_FULL_ERROR=1`` shows it on the terminal, too.
    """

    def decorate(task: Callable[[DictConfig], Any]) -> Callable[[], Any]:
        @functools.wraps(task)
        def run(cfg: DictConfig) -> Any:
            try:
                return task(cfg)
            except (ValueError, OSError) as error:
                log.debug("Stopped by", exc_info=True)
                raise CompactHydraException(f"error: {error}") from error

        main = hydra.main(version_base="1.3", config_path=str(Path(__file__).parent / "conf"), config_name=config_name)
        application: Callable[[], Any] = main(run)
        return application

    return decorate
