"""Reads the tensors of a ``.pth`` file, as torch writes it, without executing any code in it.

Such a file is a ZIP archive of numbers and a pickle, which describes the tensors: names, dtypes and shapes. A pickle
can call any function of Python. torch's own reader allows only few of them, but makes tensors while it reads, and
before version 2.10 a crafted file could make it run code (CVE-2026-24747). Here the pickle can only make mappings and
descriptions of tensors, and no number is read before all descriptions are checked.
"""

import io
import pickle
import pickletools
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

# NAFNet's largest published file has some 900 tensors, and a pickle of 100 KB.
_PICKLE_BYTES = 2**21
_TYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
# The keys under which training programs (BasicSR, Lightning and others) save the weights; averaged weights come first.
_WEIGHTS_KEYS = ("params_ema", "params", "state_dict", "model_state_dict", "model", "net")


# The operations that torch writes for a plain state dict. Others could allocate more memory than the file has bytes.
_OPERATIONS = re.compile(
    r"PROTO|STOP|MARK|GLOBAL|REDUCE|BUILD|BINPERSID|(LONG_)?BIN(PUT|GET)|EMPTY_(DICT|LIST|TUPLE)|TUPLE[123]?|APPENDS?"
    r"|SETITEMS?|NONE|NEWTRUE|NEWFALSE|BINUNICODE|BININT[12]?|LONG1|BINFLOAT"
)


class _NotPlainError(ValueError):
    """The pickle holds something that a plain state dict does not."""


class _Final:
    """An object that a pickle cannot change after its construction."""

    def __setstate__(self, state: Any) -> None:
        raise _NotPlainError("it changes what it has made")


class _Mapping(dict[Any, Any]):
    """A dictionary that ignores the attributes that a pickle sets on it."""

    def __setstate__(self, state: Any) -> None:
        pass


@dataclass(frozen=True)
class _Storage(_Final):
    """A block of numbers: its file in the archive, the dtype and the number of elements."""

    key: str
    dtype: torch.dtype
    count: int


@dataclass(frozen=True)
class _Described(_Final):
    """The description of a tensor: the position of its numbers in a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class _Name(_Final):
    """The meaning of a name in the pickle: a dtype, or a function that the pickle may call."""

    dtype: torch.dtype | None = None
    function: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        if self.function is None:
            raise _NotPlainError("it calls something that is not a function")
        return self.function(*arguments)


def _described_tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> _Described:
    if type(shape) is not tuple or type(stride) is not tuple or len(shape) != len(stride):
        raise _NotPlainError("a tensor is not described as torch does it")
    if not all(type(one) is int and 0 <= one < 2**40 for one in (offset, *shape, *stride)):
        raise _NotPlainError("a tensor has sizes that are not numbers")
    if not isinstance(storage, _Storage):
        raise _NotPlainError("a tensor has no numbers")
    return _Described(storage, offset, shape, stride)


_NAMES = {
    ("collections", "OrderedDict"): _Name(function=lambda: _Mapping()),
    ("torch._utils", "_rebuild_tensor_v2"): _Name(function=_described_tensor),
    ("torch._utils", "_rebuild_parameter"): _Name(function=lambda data, *_: data),
} | {("torch", name): _Name(dtype=dtype) for name, dtype in _TYPES.items()}


class _Reader(pickle.Unpickler):
    """An unpickler that knows only the names in the table."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise _NotPlainError(f"it names {module[:80]}.{name[:80]}, which no plain state dict does")
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        kind, name, key, _, count = pid
        if kind != "storage" or not isinstance(name, _Name) or name.dtype is None:
            raise _NotPlainError("numbers are not described as torch does it")
        if type(key) is not str or type(count) is not int or count < 0:
            raise _NotPlainError("numbers are not described as torch does it")
        return _Storage(key, name.dtype, count)


def read_pth(file: Path) -> tuple[Mapping[str, tuple[int, ...]], Callable[[], dict[str, Tensor]]]:
    """Read the names and shapes in a ``.pth`` file, and prepare to read the tensors.

    Returns:
        The shapes by name, and a function that reads the tensors. Together they take no more memory than the file's
        size.

    Raises:
        ValueError: If it is not such a file, is damaged, or holds more than named tensors; the message names the file.
    """
    try:
        described = _described(file)
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(
            f"{file} is not a .pth file of torch 1.6 or later, or is damaged: {error}. Load it with the program that "
            "wrote it, and save its state dict as safetensors."
        ) from error
    except _NotPlainError as error:
        raise ValueError(f"{file} is not taken: {error}. Save its state dict as safetensors.") from error
    except Exception as error:  # a damaged pickle can raise any exception
        raise ValueError(f"{file} is damaged: {error!r:.200}.") from error

    def read() -> dict[str, Tensor]:
        try:
            with zipfile.ZipFile(file) as archive:
                folder = _folder(archive)
                return {name: _numbers(archive, folder, one) for name, one in described.items()}
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, KeyError, ValueError) as error:
            raise ValueError(f"{file} is damaged: {error!r:.200}.") from error

    return {name: one.shape for name, one in described.items()}, read


def _folder(archive: zipfile.ZipFile) -> str:
    """The one folder of the archive, which contains everything. Its name is that of the file when it was written."""
    (found,) = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
    return found.removesuffix("data.pkl")


def _described(file: Path) -> dict[str, _Described]:
    with zipfile.ZipFile(file) as archive:
        if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
            raise _NotPlainError("it is compressed, which torch's files are not")
        index = archive.getinfo(f"{_folder(archive)}data.pkl")
        if index.file_size > _PICKLE_BYTES:
            raise _NotPlainError(f"its index alone has {index.file_size:,} bytes")
        content = _unpickled(archive.read(index))
    for key in _WEIGHTS_KEYS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict) or not content or not all(isinstance(name, str) for name in content):
        raise _NotPlainError("it holds no mapping from names to tensors")
    if others := [name for name, one in content.items() if not isinstance(one, _Described)]:
        raise _NotPlainError(f"{others[0][:80]} is not a tensor")
    state = {name.removeprefix("module."): one for name, one in content.items()}  # DistributedDataParallel's prefix
    claimed = sum(prod(one.shape) * one.storage.dtype.itemsize for one in state.values())
    if claimed > file.stat().st_size:
        raise _NotPlainError(f"its tensors would have {claimed:,} bytes, more than the whole file")
    return state


def _unpickled(index: bytes) -> Any:
    for operation, argument, _ in pickletools.genops(index):
        if not _OPERATIONS.fullmatch(operation.name) or (
            operation.name == "LONG_BINPUT" and int(argument or 0) > len(index)
        ):
            raise _NotPlainError(f"its pickle has {operation.name}, as objects have and plain tensors do not")
    return _Reader(io.BytesIO(index)).load()


def _numbers(archive: zipfile.ZipFile, folder: str, one: _Described) -> Tensor:
    entry = archive.getinfo(f"{folder}data/{one.storage.key}")
    if entry.file_size != one.storage.count * one.storage.dtype.itemsize:
        raise ValueError(f"{entry.filename[:80]} has {entry.file_size} bytes")
    if not entry.file_size:
        return torch.empty(one.shape, dtype=one.storage.dtype)
    block = torch.frombuffer(bytearray(archive.read(entry)), dtype=one.storage.dtype)
    # torch checks that the tensor lies within the storage
    return block.as_strided(one.shape, one.stride, one.offset).clone(memory_format=torch.contiguous_format)
