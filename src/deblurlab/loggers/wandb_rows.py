"""The rows that a run has logged to Weights & Biases: in our own file, and in W&B's files on the disk.

W&B keeps the last row, and up to 15 seconds of earlier ones, in the memory of a process that ends with ours. Our own
file is written at once, so that a run that was killed can log the missing rows again when it is resumed.
"""

import json
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

_EMPTY = "empty-"


class LoggedRows:
    """The rows of scalars that a run has logged so far, in this process and before, by their step.

    Args:
        file: The file in which they are stored, with one line per call that logs something.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rows: dict[int, dict[str, float | None]] = {}
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:  # nothing was logged yet, or it cannot be read, which must not end a training
            lines = []
        for line in lines:
            try:
                one = json.loads(line)
                step, values = int(one["step"]), dict(one["values"])
            except (ValueError, LookupError, TypeError):  # a broken line, because of a full disk or a crash
                continue
            self._rows.setdefault(step, {}).update(values)

    @property
    def last(self) -> int | None:
        """The last step; None if nothing has been logged."""
        return max(self._rows, default=None)

    def since(self, step: int) -> Iterator[tuple[int, dict[str, float]]]:
        """The rows of this step and later ones, in order, without values that are not scalars."""
        for one in sorted(self._rows):
            if one >= step:
                yield one, {name: value for name, value in self._rows[one].items() if value is not None}

    def lacks(self, step: int, names: Mapping[str, object]) -> set[str]:
        """The names among these that the row of a step lacks; empty if there is no such row."""
        return names.keys() - self._rows.get(step, names).keys()

    def add(self, step: int, values: Mapping[str, float | None]) -> None:
        """Store the values that are logged at a step; None stands for values that are not scalars."""
        self._rows.setdefault(step, {}).update(values)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": step, "values": dict(values)}, default=float) + "\n")


def last_stored_step(folder: Path, name: str) -> int | None:
    """The last step in the files that W&B has written for a run; -1 if they have none, None if there are no files.

    ``wandb sync`` stops at a file that ends within a record, because its process was killed, and at an empty file, and
    skips the files that follow. So the former is truncated to its last complete record, and the folder of the latter is
    renamed to begin with ``empty-``.

    Args:
        folder: W&B's folder, ``wandb`` in the run's folder.
        name: The id of the run.
    """
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

    last: int | None = None
    for file in sorted(folder.glob(f"*run-*-{name}/run-{name}.wandb")):
        begun, end, last = False, 0, -1 if last is None else last
        for content, end in _records(file.read_bytes()):  # noqa: B007
            record = Record.FromString(content)
            begun |= record.HasField("run")
            if record.HasField("history"):
                last = max(record.history.step.num, last)
        if begun and end < file.stat().st_size:
            os.truncate(file, end)
        if not begun and not file.parent.name.startswith(_EMPTY):
            file.parent.rename(file.parent.with_name(_EMPTY + file.parent.name))
    return last


def _records(stored: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the complete records of a ``.wandb`` file, each with the offset of its end.

    The file has 7 bytes and then a log in LevelDB's format, in blocks of 32 KiB. A record has one or more pieces, none
    of which crosses the end of a block. The 7 bytes before each piece are a checksum, its length, and its kind: a whole
    record (1), or the first (2), a middle (3) or the last piece (4) of one.
    """
    place, pieces = 7, list[bytes]()
    while place + 7 <= len(stored):
        if (left := 32768 - place % 32768) < 7:  # too little for a piece
            place += left
            continue
        length, kind = struct.unpack_from("<HB", stored, place + 4)
        piece = stored[place + 7 : place + 7 + length]
        if kind not in (1, 2, 3, 4) or len(piece) < length:  # the process was killed here
            return
        place += 7 + length
        pieces = [piece] if kind in (1, 2) else [*pieces, piece]
        if kind in (1, 4):
            yield b"".join(pieces), place
