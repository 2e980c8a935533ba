"""Ends a command on a signal: within half a minute, and with complete files.

A signal raises :class:`Interrupted` in the main thread, which cleans up as after any exception. If work would be lost,
:func:`finishing_first` delays this until the work reaches a point at which it can stop and calls
:func:`leave_if_asked`; after ``PATIENCE`` seconds it is interrupted wherever it is. A thread keeps the time, because
Python handles a signal only when the main thread returns from C++ code, which may compile for minutes. A second Ctrl-C,
or ``LIMIT`` seconds, end the process at once.
"""

import _thread
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

# Ctrl-C; the request to end of systemd, Docker and Slurm; a closed terminal; Slurm's `--signal=USR1@60`.
SIGNALS = [
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
    if name in signal.Signals.__members__  # Windows has the first two
]
# Seconds from the signal to a message for the user, to the interruption of work, and to the end of the process.
_TOLD, PATIENCE, LIMIT = 3.0, 15.0, 25.0

Handler = Callable[[int, FrameType | None], object] | int | None


class Interrupted(SystemExit):
    """Ends the process with the status that a shell expects: 128 and the signal's number."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(128 + number)
        self.signal = number


@dataclass
class _State:
    """The state of this process.

    Attributes:
        asked: The first signal that was received.
        raised: Whether :class:`Interrupted` has been raised in the main thread. It is raised only once.
        finishing: The number of nested blocks of :func:`finishing_first` that the main thread is in.
        patient: Whether to wait for the end of these blocks.
        before: The handlers before :func:`listening`.
        bell: The socket to which the system writes the number of each signal.
    """

    asked: signal.Signals | None = None
    raised: bool = False
    finishing: int = 0
    patient: bool = True
    before: dict[signal.Signals, Handler] = field(default_factory=dict)
    bell: socket.socket | None = None


_state = _State()


def asked() -> signal.Signals | None:
    """The signal that has asked this process to end; None if there was none."""
    return _state.asked


def leave_if_asked() -> None:
    """Raise :class:`Interrupted` if a signal has asked this process to end."""
    if _state.asked is not None:
        leave(_state.asked)


def leave(number: signal.Signals) -> NoReturn:
    """Raise :class:`Interrupted` for a signal that this process, or another one of the same training, has received."""
    if _state.asked is None:
        _state.asked = number
    _state.raised = True
    raise Interrupted(_state.asked)


@contextmanager
def finishing_first() -> Iterator[None]:
    """Delay the reaction to a signal until the body calls :func:`leave_if_asked`, or ends."""
    _state.finishing += 1
    try:
        yield
    finally:
        _state.finishing -= 1
    if _state.finishing == 0:
        leave_if_asked()


@contextmanager
def listening(last_words: Callable[[signal.Signals], str]) -> Iterator[None]:
    """Handle the signals while the body runs, and after the first one until the process ends.

    A signal that the process ignores stays ignored, such as SIGHUP under ``nohup``. Outside the main thread, where
    Python cannot handle signals, this does nothing.

    Args:
        last_words: Returns the message to print if the process has to be ended at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    vars(_state).update(vars(_State(bell=sender)))
    _state.before = {one: signal.getsignal(one) for one in SIGNALS if signal.getsignal(one) != signal.SIG_IGN}
    wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    listen_again()
    threading.Thread(target=_keep_time, args=(receiver, last_words), name="signals", daemon=True).start()
    try:
        yield
    finally:
        if _state.asked is None:
            for one, handler in _state.before.items():
                signal.signal(one, handler)
            _state.before = {}
            signal.set_wakeup_fd(wakeup)
            sender.close()  # ends the thread


def listen_again() -> None:
    """Set our handlers again, after a library has set its own."""
    for one in _state.before:
        signal.signal(one, _on_signal)


def _on_signal(number: int, _: FrameType | None) -> None:
    """Python calls this in the main thread, between two bytecode instructions."""
    if _state.asked is None:
        _state.asked = signal.Signals(number)
    if not _state.raised and not (_state.finishing and _state.patient):
        leave_if_asked()


def _keep_time(receiver: socket.socket, last_words: Callable[[signal.Signals], str]) -> None:
    """The thread that keeps the time. The system writes each signal to its socket, whatever the main thread does."""
    first = _next_signal(receiver, until=None)
    if first is None:
        receiver.close()
        return
    start = time.monotonic()
    main_thread = threading.main_thread().ident
    assert main_thread is not None

    def end() -> None:
        os.write(2, f"{last_words(first)}\n".encode())
        os._exit(128 + first)

    def tell() -> None:
        if not _state.raised:
            print("stopping at the next point from which it can continue; Ctrl-C again stops at once", file=sys.stderr)

    def interrupt() -> None:
        _state.patient = False
        if sys.platform == "win32":
            _thread.interrupt_main(signal.SIGTERM)
        else:  # this also wakes the main thread from a system call
            signal.pthread_kill(main_thread, signal.SIGTERM)

    for seconds, act in ((_TOLD, tell), (PATIENCE, interrupt), (LIMIT, end)):
        while (again := _next_signal(receiver, until=start + seconds)) is not None:
            if again == signal.SIGINT:
                end()
        act()


def _next_signal(receiver: socket.socket, *, until: float | None) -> signal.Signals | None:
    """The next of our signals; None if there is none until then, or the socket has been closed."""
    while True:
        if until is not None:
            receiver.settimeout(max(until - time.monotonic(), 1e-3))
        try:
            received = receiver.recv(1)
        except TimeoutError:
            return None
        if not received:
            return None
        if received[0] in SIGNALS:
            return signal.Signals(received[0])


def _leave_to_parent() -> None:
    """In a forked process, such as a loader's worker, keep its signals from reaching the parent's thread."""
    if _state.before:
        signal.set_wakeup_fd(-1)


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_leave_to_parent)
