"""How a command starts: Hydra composes its configuration, and a user's mistake ends in one message."""

import functools
import logging
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException, InstantiationException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from deblurlab.app.arguments import open_groups
from deblurlab.app.resolvers import evaluation_folder, run_folder, run_group
from deblurlab.app.suggestions import did_you_mean, listed_keys
from deblurlab.metrics.scores import best_is

for resolver in (run_folder, run_group, evaluation_folder, best_is):
    OmegaConf.register_new_resolver(resolver.__name__, resolver, use_cache=True, replace=True)
open_groups()


def command(config_name: str) -> Callable[[Callable[[DictConfig], Any]], Callable[[], None]]:
    """Make a function of the configuration a Hydra application.

    What a user can mend, which is a ValueError or OSError of ours or a configuration that Hydra or Lightning refuses,
    ends in its message alone, and the run's log keeps that message. ``HYDRA_FULL_ERROR=1`` shows the traceback.

    While the command runs, ``HYDRA_FULL_ERROR`` is set for the whole process: Hydra then raises errors instead of
    printing a part of them. Processes that the command starts must not inherit it.
    """

    def decorate(task: Callable[[DictConfig], Any]) -> Callable[[], None]:
        @functools.wraps(task)
        def job(cfg: DictConfig) -> Any:
            try:
                _refuse_unknown()
                return task(cfg)
            except Exception as error:
                mendable = _mendable(error)
                _to_log_file(_message(error) if mendable else traceback.format_exc())
                # past Hydra, which would name all overrides first; a sweep's launcher needs the error itself
                if mendable and quiet and HydraConfig.get().mode != RunMode.MULTIRUN:
                    sys.exit(_message(error))
                raise

        conf = str(Path(__file__).parents[1] / "conf")
        main = hydra.main(version_base="1.3", config_path=conf, config_name=config_name)(job)
        quiet = False

        @functools.wraps(task)
        def application() -> None:
            nonlocal quiet
            if os.environ.get("HYDRA_FULL_ERROR") == "1":
                main()
                return
            os.environ["HYDRA_FULL_ERROR"] = "1"
            quiet = True
            try:
                main()
            except KeyboardInterrupt:
                _end("interrupted (Ctrl-C)", signal.SIGINT, config_name)
            except SystemExit as error:
                if (ended_by := _signal_that_lightning_caught(error)) == signal.SIGTERM:
                    _end("terminated (SIGTERM)", signal.SIGTERM, config_name)
                if ended_by == signal.SIGINT:
                    _end("interrupted (Ctrl-C)", signal.SIGINT, config_name)
                raise
            except Exception as error:
                if not _mendable(error):
                    raise
                sys.exit(_message(error))
            finally:
                os.environ.pop("HYDRA_FULL_ERROR", None)

        return application

    return decorate


def _signal_that_lightning_caught(error: SystemExit) -> signal.Signals | None:
    """The signal that made Lightning's Trainer end the process; by itself it would end with another status.

    ``tests/test_train.py`` sends both signals to a training and fails if Lightning reports them in another way.
    """
    if "lightning.pytorch" in sys.modules:
        from lightning.pytorch.utilities.exceptions import SIGTERMException

        if isinstance(error, SIGTERMException):
            return signal.SIGTERM
    return signal.SIGINT if isinstance(error.__context__, KeyboardInterrupt) else None


def _end(why: str, number: signal.Signals, config_name: str) -> None:
    hint = ": ckpt_path=last goes on from the last checkpoint, if there is one" if config_name == "train" else ""
    _to_log_file(why)
    print(f"{why}{hint}.", file=sys.stderr)
    sys.exit(128 + number)


def _to_log_file(message: str) -> None:
    """Write a message to the run's log alone: the terminal shows it anyway."""
    record = logging.LogRecord(__name__, logging.ERROR, __file__, 0, message, None, None)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)


def _message(error: Exception) -> str:
    """What a user is told of an error. ``tests/app/test_errors.py`` fails if Hydra words its errors anew."""
    if isinstance(error, InstantiationException) and isinstance(error.__cause__, ValueError):
        error = error.__cause__  # our own error; the one around it tells how Hydra came there
    lines = str(error).removeprefix("ValueError raised while resolving interpolation: ").splitlines()
    message = "\n".join(line for line in lines if not line.strip().startswith(("full_key: hydra", "object_type=")))
    if isinstance(error, OverrideParseException) and "=" in error.override:
        key, _, value = error.override.partition("=")
        message = (
            f"Hydra cannot read {error.override}. A value with spaces, quotes or signs other than a-z 0-9 "
            f"goes into two pairs of quotes: '{key}=\"{value}\"'"
        )
    if unknown := re.match(r"Could not override '([^']+)'", message):
        message = f"there is no {unknown[1]} to override.{_hint(unknown[1])}"
    if listed := re.match(r"Could not append to config. An item is already at '([^']+)'", message):
        message = f"{listed[1]} is there already: set it without the +, as {listed[1]}=..."
    return f"error: {message}\n(HYDRA_FULL_ERROR=1 shows where.)"


def _refuse_unknown() -> None:
    """Refuse keys that the command line adds at the top level: nothing reads them, so they are misspelt."""
    choices = HydraConfig.get().runtime.choices
    for override in HydraConfig.get().overrides.task:
        key = override.lstrip("+").partition("=")[0].partition("@")[0]
        if override.startswith("+") and "." not in key and key not in choices:
            raise ValueError(f"{override}: deblurlab takes no {key}.{_hint(key)}")


def _hint(key: str) -> str:
    return did_you_mean(key, listed_keys()) or " --help lists what there is."


def _mendable(error: Exception) -> bool:
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    return isinstance(
        error, ValueError | OSError | CompactHydraException | OmegaConfBaseException | MisconfigurationException
    )
