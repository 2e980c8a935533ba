"""Reads the small YAML files of a run's folder, which a stranger may have made. Imports nothing heavy."""

import io
from pathlib import Path

import yaml
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
# A run's own files are far below these.
_BYTES = 2**18
_EVENTS = 20_000
_DEPTH = 32


def read_yaml(file: Path) -> DictConfig | ListConfig:
    """Read mappings and lists of plain values. The file's size bounds time and memory.

    Raises:
        ValueError: If the file is damaged or has tags, aliases or deep nesting, which no run writes. The message names
            the file.
        OSError: If it cannot be read.
    """
    with file.open("rb") as stream:
        content = stream.read(_BYTES + 1)
    try:
        if len(content) > _BYTES:
            raise ValueError(f"it is larger than {_BYTES} bytes")
        text = content.decode()
        _require_plain(text)
        loaded = OmegaConf.load(io.StringIO(text))
    except (ValueError, OSError, yaml.YAMLError, OmegaConfBaseException, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {' '.join(str(error).split())[:300]}.") from error
    assert isinstance(loaded, DictConfig | ListConfig)
    return loaded


def _require_plain(text: str) -> None:
    """Raise ValueError unless ``text`` is a tree of plain values. No object is constructed from it."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it has an alias (*), which stands for another part")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            raise ValueError(f"it has a tag, {event.tag[:80]}")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH or number > _EVENTS:
            raise ValueError("it is too deep or too long")
