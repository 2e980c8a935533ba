"""Starts and ends commands: Hydra composes the configuration, and a user's mistake ends in one message."""

import functools
import logging
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from deblurlab.app import user_errors
from deblurlab.app.arguments import open_groups
from deblurlab.app.bare_words import refuse_bare_words
from deblurlab.app.command_keys import check_keys, with_lists
from deblurlab.app.first_word import with_key
from deblurlab.app.group_choices import check_choices
from deblurlab.app.help_text import help_text
from deblurlab.app.home_folder import with_home
from deblurlab.app.last_words import last_words_of
from deblurlab.app.log_file import to_log_file
from deblurlab.app.made_folders import made_for, remove_empty
from deblurlab.app.options import config_folders, refuse_options, with_options_first
from deblurlab.app.resolvers import evaluation_folder, run_folder, run_group, run_name
from deblurlab.app.several_devices import require_one_process
from deblurlab.files.vanished import vanishing_told
from deblurlab.metrics.scores import best_is
from deblurlab.processes import error_report
from deblurlab.processes.rank import is_first
from deblurlab.run.claim import is_bare
from deblurlab.run.names import CONF
from deblurlab.run.run_folder import RunFolder
from deblurlab.signals import interruption

# Let OpenMP's threads sleep while they wait: spinning threads would take the cores from other work. OpenMP reads this
# variable when torch is imported, which is later.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_RAISE = "HYDRA_FULL_ERROR"
_ON_SEVERAL = "train"  # the only command that torchrun and srun may start in several processes
_Task = Callable[[DictConfig], Any]

for resolver in (run_folder, best_is):
    OmegaConf.register_new_resolver(resolver.__name__, resolver, use_cache=True, replace=True)
for uncached in (run_name, run_group, evaluation_folder, made_for):  # they depend on the configuration, or on the disk
    OmegaConf.register_new_resolver(uncached.__name__, uncached, replace=True)
open_groups()


def command(config_name: str, *, first: str | None = None) -> Callable[[_Task], Callable[[], None]]:
    """A decorator that turns a function of the configuration into a Hydra application.

    An error that the user can fix (a ValueError or OSError of ours, or a configuration that Hydra or Lightning refuses)
    is printed as a message without a traceback, and written to the run's log. If the run has not trained anything, its
    folder is removed, and so are the folders above it that were made for it. ``HYDRA_FULL_ERROR=1`` shows the
    traceback.

    Args:
        config_name: The name of the command and of its YAML file.
        first: The key of the first word of the command line, if that word may stand without a key; None if not.
    """

    def decorate(task: _Task) -> Callable[[], None]:
        @functools.wraps(task)
        def application() -> None:
            arguments = sys.argv[1:] if first is None else with_key(sys.argv[1:], first)
            sys.argv[1:] = with_options_first(with_lists(with_home(arguments), config_name))
            if {"--help", "-h"} & set(sys.argv[1:]):
                examples = sys.modules[task.__module__].__doc__ or ""
                print(help_text(config_name, examples, config_folders(sys.argv[1:])))
                return
            _Started(config_name, task, quiet=os.environ.get(_RAISE) != "1").run()

        return application

    return decorate


@dataclass
class _Started:
    """A command that has been started.

    Attributes:
        name: The name of the command and of its YAML file.
        task: Its function of the configuration.
        quiet: Whether a message without a traceback tells the user's mistakes and the signals that end the command.
        settings: Hydra's settings of the job that is running, or of the last one; None before the first.
    """

    name: str
    task: _Task
    quiet: bool
    settings: HydraConf | None = None

    def run(self) -> None:
        """Run the command with the arguments in ``sys.argv``, and end the process if it fails or a signal ends it."""
        with interruption.listening(self._last_words):
            try:
                self._compose_and_run()
            except BaseException as error:
                self._end(error)
                raise
            finally:
                remove_empty()

    def _compose_and_run(self) -> None:
        """Let Hydra compose the configuration from ``sys.argv`` and run the job, or those of a sweep."""
        refuse_options(self.name, sys.argv[1:])
        refuse_bare_words(self.name, sys.argv[1:])
        check_choices(sys.argv[1:])

        @functools.wraps(self.task)  # Hydra names the job after the module of the task
        def job(cfg: DictConfig) -> Any:
            return self._job(cfg)

        # With this variable Hydra raises the errors of composing; without it, it would print a part of them and end
        # the process. A job runs without the variable, so that child processes do not inherit it.
        with _environment(_RAISE, "1"):
            hydra.main(version_base="1.3", config_path=str(CONF), config_name=self.name)(job)()

    def _job(self, cfg: DictConfig) -> Any:
        """Hydra calls this once, or for each job of a sweep, perhaps in another process."""
        try:
            self.settings = HydraConfig.get()
            user_errors.refuse_new_top_keys(self.settings.overrides.task, list(self.settings.runtime.choices))
            check_keys(cfg, self.name)
            if self.name != _ON_SEVERAL:
                require_one_process(self.name)
            with _environment(_RAISE, None if self.quiet else os.environ.get(_RAISE)), vanishing_told():
                return self.task(cfg)
        except Exception as error:
            self._end_job(error)
            raise

    def _end_job(self, error: Exception) -> None:
        """Log an error of a job, and exit if it needs no traceback; otherwise return."""
        mendable = user_errors.is_mendable(error)
        if error_report.started_by_command():  # that command prints and logs the error of one process
            error_report.leave(user_errors.plain(error) if mendable and self.quiet else traceback.format_exc())
            sys.exit(1)
        to_log_file(user_errors.message(error) if mendable else traceback.format_exc(), logging.ERROR)
        # A single run ends here, before Hydra lists all overrides; a sweep's launcher needs the error itself.
        if mendable and self.quiet and HydraConfig.get().mode != RunMode.MULTIRUN:
            _remove_unused(Path(HydraConfig.get().runtime.output_dir))
            sys.exit(user_errors.message(error))

    def _end(self, error: BaseException) -> None:
        """Exit with a message about a signal or a mistake of the user; return if ``error`` is neither."""
        if self.quiet and (ended_by := interruption.asked()):
            if not error_report.started_by_command() and is_first():  # otherwise another process tells the user
                _tell(self._last_words(ended_by), error)
            sys.exit(128 + ended_by)
        if self.quiet and isinstance(error, Exception) and user_errors.is_mendable(error):
            sys.exit(user_errors.message(error))

    def _last_words(self, ended_by: signal.Signals) -> str:
        """See :func:`last_words_of`."""
        return last_words_of(self.name, self.settings, ended_by)


@contextmanager
def _environment(name: str, value: str | None) -> Iterator[None]:
    """Set an environment variable, or unset it with None, and restore it at the end."""
    before = os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


def _tell(last_words: str, error: BaseException) -> None:
    """Print and log ``last_words`` with any error that occurred meanwhile."""
    if not isinstance(error, interruption.Interrupted):
        last_words += f" Meanwhile: {next(iter(str(error).splitlines()), '') or type(error).__name__}"
    to_log_file(last_words, logging.ERROR)
    print(last_words, file=sys.stderr)


def _remove_unused(folder: Path) -> None:
    """Remove the folder of a run that has trained nothing: it only holds the files of this command's start."""
    if not folder.is_dir():  # it has vanished
        return
    root = logging.getLogger()
    for handler in list(root.handlers):
        if not isinstance(handler, logging.FileHandler) or Path(handler.baseFilename).parent != folder:
            continue
        if is_bare(RunFolder(folder)) or list(folder.iterdir()) == [Path(handler.baseFilename)]:
            root.removeHandler(handler)  # it would make the file again for a later message of this process
            handler.close()
            shutil.rmtree(folder)
            return
