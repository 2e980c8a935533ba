"""``deblurlab`` lists the commands; ``deblurlab train ...`` is ``python -m deblurlab.train ...``."""

import ast
import difflib
import runpy
import sys
from pathlib import Path

from deblurlab import __version__

_PACKAGE = Path(__file__).parent


def commands() -> list[str]:
    """The names of the commands: each has a module in this folder and a configuration of the same name."""
    return sorted(file.stem for file in (_PACKAGE / "conf").glob("*.yaml"))


def summary(command: str) -> str:
    """The first sentence of a command's docstring. It is read without importing the module, so that a list is fast."""
    docstring = ast.get_docstring(ast.parse((_PACKAGE / f"{command}.py").read_text(encoding="utf-8")))
    assert docstring, f"{command}.py has no docstring"
    return docstring.partition("\n")[0]


def usage() -> str:
    """The commands, one per line, and how to call them."""
    lines = "\n".join(f"  {command:<9} {summary(command)}" for command in commands())
    return (
        f"usage: deblurlab COMMAND [KEY=VALUE ...]\n\n{lines}\n\n"
        "deblurlab COMMAND --help lists the keys of a command with their values."
    )


def main() -> None:
    """Run the command that the command line names, or list the commands."""
    _, *words = sys.argv
    name = words[0] if words else "--help"
    if name in ("--help", "-h"):
        print(usage())
    elif name == "--version":
        print(f"deblurlab {__version__}")
    elif name in commands():
        sys.argv = words
        runpy.run_module(f"deblurlab.{name}", run_name="__main__", alter_sys=True)
    else:
        close = difflib.get_close_matches(name, commands(), n=1)
        hint = f"did you mean {close[0]}?" if close else "the commands are:"
        print(f"deblurlab: there is no command {name}; {hint}", file=sys.stderr)
        if not close:
            print(f"  {', '.join(commands())}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
