"""Numbers in sentences."""


def counted(number: int, thing: str) -> str:
    """A number with what it counts: "1 epoch", "1,200 epochs"."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
