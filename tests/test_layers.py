"""Who may import what: the rules of the house, one row per folder, read from the imports of its files."""

import ast
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import deblurlab

SOURCE = Path(deblurlab.__file__).parent
COMMANDS = sorted(file.stem for file in SOURCE.glob("*.py") if file.stem not in ("__init__", "__main__", "interfaces"))

# The folders from the lowest to the highest: a folder imports folders that stand before it, and itself.
# Folders on one line stand beside each other and do not import each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("checks", "files", "pictures", "signals"),
    ("nets", "losses", "metrics", "planning", "processes", "zoo"),
    ("data", "tasks", "converting"),
    ("run",),
    ("loggers",),
    ("callbacks",),
    ("backends",),
    ("restoring",),
    ("app",),
    ("serving", "reports", "sweeps"),
)
BUILDS = {"hydra", "omegaconf"}
DEVICES = {"torch_xla"}
TRAINING = {"lightning", "wandb"}

# What a folder must not import beside folders that stand above it: libraries, or folders below it.
FORBIDDEN: dict[str, set[str]] = {
    "nets": BUILDS | TRAINING | DEVICES | {"pathlib", "os"},
    "losses": BUILDS | TRAINING | DEVICES | {"pathlib", "os"},
    "metrics": BUILDS | TRAINING | DEVICES | {"pathlib", "os"},
    "checks": BUILDS | TRAINING | DEVICES | {"torch", "pathlib"},
    "files": BUILDS | TRAINING | DEVICES | {"torch"},
    "pictures": BUILDS | TRAINING | DEVICES | {"torch"},
    "signals": BUILDS | TRAINING | DEVICES | {"torch", "pathlib"},
    "converting": BUILDS | TRAINING | DEVICES,
    "planning": BUILDS | TRAINING | DEVICES,
    "processes": BUILDS | TRAINING | DEVICES | {"torch"},
    "data": BUILDS | DEVICES | {"wandb", "matplotlib", "deblurlab.nets", "deblurlab.losses"},
    "run": DEVICES | {"hydra", "wandb"},
    "tasks": BUILDS | DEVICES | {"wandb", "matplotlib", "deblurlab.run", "deblurlab.nets", "deblurlab.data"},
    "loggers": BUILDS | DEVICES,
    "callbacks": BUILDS
    | DEVICES
    | {"wandb", "deblurlab.loggers", "deblurlab.nets", "deblurlab.losses", "deblurlab.tasks"},
    "backends": BUILDS | {"wandb", "deblurlab.loggers", "deblurlab.nets", "deblurlab.data", "deblurlab.tasks"},
    "restoring": BUILDS | TRAINING | DEVICES | {"deblurlab.nets", "deblurlab.tasks"},
    "serving": BUILDS | TRAINING | DEVICES | {"deblurlab.nets", "deblurlab.tasks"},
    "reports": DEVICES | {"hydra", "lightning", "wandb", "deblurlab.nets"},
    "sweeps": DEVICES | TRAINING | {"torch", "deblurlab.tasks", "deblurlab.data"},
    "app": DEVICES | {"wandb"},
}
# What a folder may import although the row above forbids the folder that it lies in.
EXCEPTIONS: dict[str, set[str]] = {"backends": {"deblurlab.nets.folding"}}


def imports(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def touches(imported: set[str], module: str) -> bool:
    return any(name == module or name.startswith(module + ".") for name in imported)


def allowed(part: str, name: str) -> bool:
    return any(touches({name}, exception) for exception in EXCEPTIONS.get(part, ()))


def files(part: str) -> list[Path]:
    return sorted((SOURCE / part).rglob("*.py"))


def test_every_folder_has_a_floor_and_a_row() -> None:
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert folders == set(FORBIDDEN)
    assert folders | {"zoo"} == {folder for floor in FLOORS for folder in floor}


@pytest.mark.parametrize("part", FORBIDDEN)
def test_a_folder_imports_only_what_it_may(part: str) -> None:
    broken = [
        (str(file.relative_to(SOURCE)), module)
        for file in files(part)
        for module in FORBIDDEN[part]
        if touches({name for name in imports(file) if not allowed(part, name)}, module)
    ]
    assert broken == []


@pytest.mark.parametrize("part", FORBIDDEN)
def test_imports_only_go_down(part: str) -> None:
    (level,) = (number for number, floor in enumerate(FLOORS) if part in floor)
    not_below = {folder for floor in FLOORS[level:] for folder in floor} - {part}
    for file in files(part):
        for other in (*not_below, *COMMANDS):
            assert not touches(imports(file), f"deblurlab.{other}"), f"{file.relative_to(SOURCE)} imports {other}"


def test_one_folder_imports_torch_xla_and_one_file_instantiates() -> None:
    for file in SOURCE.rglob("*.py"):
        place = file.relative_to(SOURCE)
        if place.parts[:2] != ("backends", "xla"):
            assert not touches(imports(file), "torch_xla"), place
        if place != Path("app/instantiated.py"):
            assert not touches(imports(file), "hydra.utils.instantiate"), place


def test_who_knows_hydra() -> None:
    """Only what composes the configuration of a command, and sweeps, which Hydra starts."""
    known = {file.relative_to(SOURCE).parts[0] for file in SOURCE.rglob("*.py") if touches(imports(file), "hydra")}
    assert known == {"app", "sweeps"}


def test_data_knows_lightning_in_its_modules_alone() -> None:
    for file in files("data"):
        if touches(imports(file), "lightning"):
            assert file.parent.name == "modules", file


@pytest.mark.parametrize("part", ["nets", "losses", "metrics", "data", "tasks"])
def test_nobody_asks_the_trainer_on_which_devices_it_is(part: str) -> None:
    for file in files(part):
        assert not re.findall(r"\.(?:strategy|accelerator|num_devices|device_ids)\b", file.read_text()), file


def test_networks_do_not_move_themselves() -> None:
    for file in files("nets"):
        assert ".to(" not in file.read_text(), file.name


def test_networks_know_no_device_and_no_folding() -> None:
    for file in (SOURCE / "nets").glob("*.py"):
        assert not re.findall(r"\b(?:fold\w*|xla|cuda|tpu|device|Function)\b", file.read_text()), file.name


def test_nothing_imports_the_tools_or_a_command() -> None:
    for file in SOURCE.rglob("*.py"):
        for module in ("tools", *(f"deblurlab.{command}" for command in COMMANDS)):
            assert not touches(imports(file), module), f"{file} imports {module}"


def test_no_two_modules_share_a_name() -> None:
    names = sorted(file.stem for file in SOURCE.rglob("*.py") if file.stem != "__init__")
    shared = {one for one, other in pairwise(names) if one == other}
    assert not shared


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_imports_no_torch_until_it_runs(name: str) -> None:
    """``--help`` and completion are instant."""
    code = f"import sys, deblurlab.{name}; sys.exit(bool({{'torch', 'lightning', 'matplotlib'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
