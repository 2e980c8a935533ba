"""Parts of sentences."""

from collections.abc import Sequence


def counted(number: int, thing: str) -> str:
    """A number with the thing that it counts: "1 epoch", "1,200 epochs"."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def first_of(names: Sequence[str], most: int) -> str:
    """The first names of a list: "a, b, ..." for three names of which two are shown at most."""
    return ", ".join([*names[:most], *(["..."] if len(names) > most else [])])


def three_digits(number: float) -> str:
    """A number rounded to three significant digits, for people: "0.216", "35.4", "1,080", not "1.08e+03"."""
    rounded = float(f"{number:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{number:.3g}"


def how_to_find(error: BaseException, path: str) -> str:
    """A sentence that follows an error: what to do if Python does not find the package of ``path``; "" otherwise."""
    package = path.partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or error.name != package:
        return ""
    return f". Install {package}, or begin the command with PYTHONPATH=FOLDER, the folder that {package} is in."
