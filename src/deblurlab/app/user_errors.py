"""Turns an error that a user can fix into one message without a traceback."""

import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import (
    CompactHydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import InterpolationResolutionError, MissingMandatoryValue, OmegaConfBaseException

from deblurlab.app.options import known_keys
from deblurlab.app.suggestions import did_you_mean
from deblurlab.checks.command_line import quoted_assignment
from deblurlab.checks.words import how_to_find

# Hydra's messages for common mistakes. tests/app/test_errors.py makes these mistakes and fails if a message changes.
_NO_SUCH_KEY = re.compile(r"Could not override '([^']+)'")
_NONE_CHOSEN = "You must specify "  # one line for each choice
_SEARCH_PATH = "Config search path:"  # the folders of configurations, one per line
_NO_SUCH_LAUNCHER = re.compile(r"hydra/launcher/(\w+)")
_ONE_VALUE = "Expected more than 1 value per channel when training"  # PyTorch's batch normalisation and ours
# gloo's messages when another process of the training has ended.
_LOST = re.compile(r"gloo/.*(closed by peer|reset by peer|broken pipe)", re.IGNORECASE | re.DOTALL)
# Hydra's launchers that need one of deblurlab's extras, and the name of the extra.
_LAUNCHERS = {"joblib": "joblib", "submitit_slurm": "slurm", "submitit_local": "slurm"}
# OmegaConf's errors end with a line for the key, and sometimes one more for the type of its parent.
_FULL_KEY = re.compile(r"\n\s*full_key: ?(.*)(\n\s*object_type=.*)?$")
_TAKE_AN_OPTIMIZER = {"scheduler", "step_scheduler"}
_LIBRARIES = {"hydra", "importlib", "torch"}
_IN_A_CLASS = re.compile(r"Error (locating|in call to) target '([^']+)'")
_KEY_IS_LISTED = re.compile(r"Could not append to config. An item is already at '([^']+)'")


def is_mendable(error: Exception) -> bool:
    """Whether the user can fix an error, so that its message is enough.

    Such are errors of ours, configurations that Hydra or Lightning refuses, and the end of another process.
    """
    mendable = ValueError | OSError | CompactHydraException | OmegaConfBaseException
    return isinstance(error, mendable) or _is_of_lightning(error) or _is_lost(error)


def _is_of_lightning(error: Exception) -> bool:
    """Whether Lightning refuses a setting. If it has not been imported, it cannot; importing it takes seconds."""
    exceptions = sys.modules.get("lightning.fabric.utilities.exceptions")
    return exceptions is not None and isinstance(error, exceptions.MisconfigurationException)


def _is_lost(error: Exception) -> bool:
    """Whether an exchange with another process of the training failed because that process has ended."""
    return isinstance(error, RuntimeError) and _LOST.search(str(error)) is not None


def message(error: Exception) -> str:
    """The message that is printed for a mendable error."""
    return f"error: {plain(error)}\n(HYDRA_FULL_ERROR=1 shows where.)"


def plain(error: Exception) -> str:
    """The text of a mendable error alone."""
    return _words(_ours(error))


def _ours(error: Exception) -> Exception:
    """The mendable error that a class or a resolver of ours raised, if Hydra or OmegaConf has wrapped one."""
    if isinstance(error, InstantiationException | InterpolationResolutionError):
        inner = error.__cause__ or error.__context__
        if isinstance(inner, Exception) and is_mendable(inner):
            return _ours(inner)
    return error


def _words(error: Exception) -> str:
    if isinstance(error, OverrideParseException) and "=" in error.override:
        key, _, value = error.override.partition("=")
        return (
            f"Hydra cannot read {error.override}. A value with spaces, quotes or signs other than a-z 0-9 "
            f"goes into two pairs of quotes: {quoted_assignment(key, value)}"
        )
    words = str(error)
    if isinstance(error, OSError) and error.filename and words.startswith("[Errno"):
        no_folder = isinstance(error, FileExistsError | NotADirectoryError)
        return f"{error.filename}: {'this is a file, not a folder' if no_folder else error.strerror}"
    if (launcher := _NO_SUCH_LAUNCHER.search(words)) and launcher[1] in _LAUNCHERS:
        return f"hydra/launcher={launcher[1]} needs pip install 'deblurlab[{_LAUNCHERS[launcher[1]]}]'."
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group = error.missing_cfg_file.rpartition("/")[0]
        return f"Could not find '{error.missing_cfg_file}': {group}=... is one of {', '.join(error.options)}."
    if no_such := _NO_SUCH_KEY.match(words):
        return f"there is no {no_such[1]} to override.{_to_add(no_such[1]) or hint(no_such[1])}"
    if isinstance(error, InstantiationException) and (in_class := _IN_A_CLASS.match(words)):
        first = _first(error)
        if "`tensorboard`" in str(first):  # Lightning's words, which name no extra of deblurlab
            return "logger=tensorboard needs pip install 'deblurlab[tensorboard]'."
        failed = "cannot be imported" if in_class[1] == "locating" else "cannot be made"
        return f"{in_class[2]} {failed}: {_where(first)}{how_to_find(first, in_class[2])}{_to_call_later(first, words)}"
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} has no value, which ??? stands for: set {error.full_key}=..."
    if words.startswith(_NONE_CHOSEN):
        return " ".join(words.split())
    if listed := _KEY_IS_LISTED.match(words):
        return f"{listed[1]} is there already: set it without the +, as {listed[1]}=..."
    if _is_lost(error):
        return (
            "another process of this training has ended; its own output says why. The same command with ckpt_path=auto "
            "continues from the last checkpoint, or starts again if there is none."
        )
    if words.startswith(_ONE_VALUE):
        return (
            "batch normalisation meets a single image whose features are one pixel, which has no variance: choose a "
            "larger data.batch_size or data.crops, fewer trainer.devices, or trainer.batch_norm=global."
        )
    text = words.partition(_SEARCH_PATH)[0].rstrip()
    if full_key := _FULL_KEY.search(text):
        key, text = full_key[1], " ".join(text[: full_key.start()].split())
        return text if key in text else f"{key}: {text}"
    return text


def _first(error: BaseException) -> BaseException:
    """The first error of a chain, which caused all others.

    Hydra imports ``package.module`` only after ``package`` has turned out to have no such attribute. An error within
    that module is not caused by this.
    """
    while following := error.__cause__ or error.__context__:
        if error.__cause__ is None and (isinstance(error, SyntaxError) or _frame(error)) and not _frame(following):
            break
        error = following
    return error


def _to_call_later(error: BaseException, words: str) -> str:
    """What to add if a function was called that should have been handed on, such as a loss; "" for other errors."""
    called = isinstance(error, TypeError) and "required positional argument" in str(error)
    full_key = _FULL_KEY.search(words)
    if not called or full_key is None or not full_key[1].startswith("model."):  # callbacks and loggers are made at once
        return ""
    kind = full_key[1].rpartition(".")[2]
    if kind in _TAKE_AN_OPTIMIZER:
        return f". The training hands it the optimizer later: add {full_key[1]}._partial_=true"
    return f". If it is a function of images, as a loss may be, add {full_key[1]}._partial_=true"


def _where(error: BaseException) -> str:
    """An error with the file and line that raised it, or that called the library that raised it."""
    words = f"{type(error).__name__}: {error}"
    return f"{frame.filename}, line {frame.lineno}: {words}" if (frame := _frame(error)) else words


def _frame(error: BaseException) -> traceback.FrameSummary | None:
    """The line that raised an error, or that called the library that did; None if libraries raised it by themselves."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith("<frozen") and not _LIBRARIES & set(Path(frame.filename).parts):
            return frame
    return None


def refuse_new_top_keys(overrides: Sequence[str], groups: Sequence[str]) -> None:
    """Refuse keys that the command line adds at the top level. Nothing reads them, so they must be misspelt.

    Args:
        overrides: The overrides of the command line.
        groups: The names of the groups, which ``+group=option`` may add.

    Raises:
        ValueError: If there is such a key.
    """
    for override in overrides:
        key = override.lstrip("+").partition("=")[0].partition("@")[0]
        if override.startswith("+") and "." not in key and key not in groups:
            if key in known_keys():
                raise ValueError(
                    f"{override}: leave out the +, which is for keys that no file of the configuration has."
                )
            raise ValueError(f"{override}: deblurlab takes no {key}.{hint(key)}")


def _to_add(key: str) -> str:
    """How to set a key that is in a file of the configuration that was not chosen; "" for other keys."""
    if "." not in key or key not in known_keys():  # a key without a parent is one of another command
        return ""
    return f" None of the files that were chosen has it; +{key}=... adds it."


def hint(key: str) -> str:
    """A suggestion for a key that does not exist, or else where to look."""
    return did_you_mean(key, known_keys()) or " --help lists what there is."
