"""How a command ends when it is asked to: within half a minute, and with complete files.

A signal raises :class:`Interrupted` in the main thread, which tidies up as any exception does. Where work would be
lost, :func:`finishing_first` puts this off until the work reaches a point at which it can stop, which asks
:func:`leave_if_asked`; after ``PATIENCE`` seconds it is interrupted wherever it is. A thread keeps the time, because
Python itself attends to a signal only when the main thread comes back from C++, where it may compile for minutes. A
second Ctrl-C, or ``LIMIT`` seconds, end the process at once.
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

# Ctrl-C; the end that systemd, Docker and Slurm ask for; a closed terminal; Slurm's `--signal=USR1@60`.
SIGNALS = [
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
    if name in signal.Signals.__members__  # Windows has the first two
]
# Seconds after the signal: when the user is told what is waited for, when work is cut short, when the process ends.
_TOLD, PATIENCE, LIMIT = 3.0, 15.0, 25.0

Handler = Callable[[int, FrameType | None], object] | int | None


class Interrupted(SystemExit):
    """Ends the process with the status that a shell expects: 128 and the signal's number."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(128 + number)
        self.signal = number


@dataclass
class _State:
    """Where this process stands.

    Attributes:
        asked: The first signal that came.
        raised: Whether the main thread has got its exception. It gets one only, which later signals do not disturb.
        finishing: In how many blocks of :func:`finishing_first` the main thread is.
        patient: Whether these blocks are still waited for.
        before: The handlers that stood before :func:`listening`.
        bell: The socket to which the system writes the number of each signal that comes.
    """

    asked: signal.Signals | None = None
    raised: bool = False
    finishing: int = 0
    patient: bool = True
    before: dict[signal.Signals, Handler] = field(default_factory=dict)
    bell: socket.socket | None = None


_state = _State()


def asked() -> signal.Signals | None:
    """The signal that has asked this process to end, if one has."""
    return _state.asked


def leave_if_asked() -> None:
    """Raise :class:`Interrupted` if a signal has asked this process to end."""
    if _state.asked is not None:
        leave(_state.asked)


def leave(number: signal.Signals) -> NoReturn:
    """Raise :class:`Interrupted` for a signal that has come to another process of the same work, or to this one."""
    if _state.asked is None:
        _state.asked = number
    _state.raised = True
    raise Interrupted(_state.asked)


@contextmanager
def finishing_first() -> Iterator[None]:
    """Let the body stop by itself when a signal comes: it calls :func:`leave_if_asked`, and so does its end."""
    _state.finishing += 1
    try:
        yield
    finally:
        _state.finishing -= 1
    if _state.finishing == 0:
        leave_if_asked()


@contextmanager
def listening(last_words: Callable[[signal.Signals], str]) -> Iterator[None]:
    """Attend to the signals while the body runs, and to the end of the process once one has come.

    A signal that the process ignores stays ignored, such as SIGHUP under ``nohup``. Outside the main thread, where
    Python has no signals, this does nothing.

    Args:
        last_words: What to print when the process has to be ended at once.
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
    """Take the signals back from a library that has set handlers of its own."""
    for one in _state.before:
        signal.signal(one, _on_signal)


def _on_signal(number: int, _: FrameType | None) -> None:
    """What Python calls in the main thread, between two of its steps."""
    if _state.asked is None:
        _state.asked = signal.Signals(number)
    if not _state.raised and not (_state.finishing and _state.patient):
        leave_if_asked()


def _keep_time(receiver: socket.socket, last_words: Callable[[signal.Signals], str]) -> None:
    """The thread: the system writes the number of each signal to the other end, whatever the main thread does."""
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
        else:  # which also wakes the main thread where it waits for something
            signal.pthread_kill(main_thread, signal.SIGTERM)

    for seconds, act in ((_TOLD, tell), (PATIENCE, interrupt), (LIMIT, end)):
        while (again := _next_signal(receiver, until=start + seconds)) is not None:
            if again == signal.SIGINT:
                end()
        act()


def _next_signal(receiver: socket.socket, *, until: float | None) -> signal.Signals | None:
    """The next of our signals; None when it is late, or nobody listens any more."""
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
    """In a forked process, such as a loader's worker: what its signals wake is not the parent's thread."""
    if _state.before:
        signal.set_wakeup_fd(-1)


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_leave_to_parent)
