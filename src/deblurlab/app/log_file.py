"""Writes messages only to the log file of a run, because the terminal shows them in another form."""

import logging


def to_log_file(message: str, level: int = logging.INFO) -> None:
    """Write a message to the run's log file, and not to the terminal."""
    record = logging.LogRecord(__name__, level, __file__, 0, message, None, None)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)
