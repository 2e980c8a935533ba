"""Who may import what: the table of the house, read from the imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import deblurlab

SOURCE = Path(deblurlab.__file__).parent

CONFIGURATION = {"hydra", "omegaconf"}
MATHEMATICS = CONFIGURATION | {"lightning", "wandb", "torch_xla", "pathlib", "deblurlab.data", "deblurlab.tasks"}

# part of the package -> top-level modules, or modules of ours, that it must not import
FORBIDDEN = {
    "nets": MATHEMATICS,
    "losses": MATHEMATICS,
    "metrics": MATHEMATICS,
    "data": CONFIGURATION
    | {"wandb", "torch_xla", "matplotlib"}
    | {"deblurlab.xla", "deblurlab.nets", "deblurlab.losses", "deblurlab.tasks"},
    "tasks": CONFIGURATION
    | {"wandb", "torch_xla", "matplotlib"}
    | {"deblurlab.figures", "deblurlab.callbacks", "deblurlab.nets", "deblurlab.data"},
    "callbacks": CONFIGURATION | {"torch_xla", "deblurlab.nets", "deblurlab.losses", "deblurlab.tasks"},
    "sweeps": {"torch", "lightning", "wandb", "torch_xla", "deblurlab.build", "deblurlab.tasks", "deblurlab.data"},
    "reports": {"hydra", "lightning", "wandb", "torch_xla", "deblurlab.nets"},
    "restoring": CONFIGURATION
    | {"lightning", "wandb", "torch_xla"}
    | {"deblurlab.build", "deblurlab.nets", "deblurlab.tasks"},
}


def imports(file: Path, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(file.read_text())
    names = set()
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def touches(imported: set[str], module: str) -> bool:
    return any(name == module or name.startswith(module + ".") for name in imported)


@pytest.mark.parametrize("part", FORBIDDEN)
def test_a_part_imports_only_what_it_may(part: str) -> None:
    files = list((SOURCE / part).glob("*.py"))
    assert files
    broken = [(file.name, module) for file in files for module in FORBIDDEN[part] if touches(imports(file), module)]
    assert broken == []


def test_one_folder_imports_torch_xla_and_one_file_instantiates() -> None:
    for file in SOURCE.rglob("*.py"):
        place = file.relative_to(SOURCE)
        if place.parts[0] != "xla":
            assert not touches(imports(file), "torch_xla"), place
        if place.name != "build.py":
            assert "hydra.utils.instantiate" not in imports(file), place


def test_data_knows_lightning_in_its_modules_alone() -> None:
    knowing = {file.name for file in (SOURCE / "data").glob("*.py") if touches(imports(file), "lightning")}
    assert knowing == {"module.py", "frame_module.py"}


def test_networks_do_not_move_themselves() -> None:
    for file in (SOURCE / "nets").glob("*.py"):
        assert ".to(" not in file.read_text(), file.name


def test_nothing_imports_the_tools() -> None:
    for file in SOURCE.rglob("*.py"):
        assert not touches(imports(file), "tools"), file


@pytest.mark.parametrize("name", ["train", "evaluate", "prepare", "restore", "export", "demo", "report", "plan"])
def test_a_command_imports_no_torch_until_it_runs(name: str) -> None:
    """``--help`` and completion are instant."""
    code = f"import sys, deblurlab.{name}; sys.exit('torch' in sys.modules or 'lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
