"""Files as Keras writes them, without Keras: of the layouts in ``layouts.json`` and the numbers of ``drawn``."""

import json
from pathlib import Path
from typing import Any

from tests.converting.drawn import weight

LAYOUTS: dict[str, Any] = json.loads(Path(__file__).with_name("layouts.json").read_text())


def write(file: Path, name: str, *, inside: str = "/", text: Any = bytes) -> Path:
    """Write the file of a network as Keras does: in the root, or as a part of a saved model in the group ``inside``."""
    import h5py

    index = 0
    with h5py.File(file, "w") as stream:
        top = stream.require_group(inside)
        names = [layer for layer, _ in LAYOUTS[name]["layers"]]
        top.attrs["layer_names"] = [one.encode() for one in names] if text is bytes else names
        for layer, listed in LAYOUTS[name]["layers"]:
            group = top.create_group(layer)
            paths = [path for path, _ in listed]
            group.attrs["weight_names"] = [one.encode() for one in paths] if text is bytes else paths
            for path, shape in listed:
                group[path] = weight(index, path.split("/")[-1].split(":")[0], tuple(shape))
                index += 1
    return file
