"""Parts of sentences."""


def counted(number: int, thing: str) -> str:
    """A number with what it counts: "1 epoch", "1,200 epochs"."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def how_to_find(error: BaseException, path: str) -> str:
    """What to do about a class path whose package Python does not find, to follow the error; "" for other errors."""
    package = path.partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or error.name != package:
        return ""
    return f". Install {package}, or begin the command with PYTHONPATH=FOLDER, the folder that {package} is in."
