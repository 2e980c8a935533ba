"""Refuses a setting that makes no sense, with a message that names the setting and what it may be."""

from collections.abc import Sequence

# The side of the window over which SSIM compares two images, in pixels.
SSIM_WINDOW = 11


def whole_number(
    name: str, value: object, *, at_least: int | None = None, at_most: int | None = None, of: str = ""
) -> None:
    """Refuse a value that is not a whole number, such as 2.5, "abc" or true, or lies outside of its range.

    Args:
        name: The setting as the user writes it, say "data.batch_size".
        value: Its value.
        at_least: The smallest value that makes sense; None if there is none.
        at_most: The largest value that makes sense; None if there is none.
        of: The things that the number counts, for the message, say "pixels".

    Raises:
        ValueError: Such as "data.batch_size must be a whole number from 1, got 2.5."
    """
    if isinstance(value, int) and not isinstance(value, bool):
        too_small = at_least is not None and value < at_least
        too_large = at_most is not None and value > at_most
        if not too_small and not too_large:
            return
    what = f" of {of}" if of else ""
    lowest = "" if at_least is None else f" from {at_least}"
    highest = "" if at_most is None else f" to {at_most}"
    raise ValueError(f"{name} must be a whole number{what}{lowest}{highest}, got {value}.")


def workers(name: str, value: object, *, at_least: int) -> None:
    """Refuse a number of threads or processes that would fill the memory before anything runs.

    Args:
        name: The setting as the user writes it, say "data.workers".
        value: Its value.
        at_least: The smallest number that makes sense.

    Raises:
        ValueError: If it is not a whole number from ``at_least`` to 1024.
    """
    whole_number(name, value, at_least=at_least, at_most=1024)


def large_enough_for_ssim(name: str, size: tuple[int, int]) -> None:
    """Refuse images that are smaller than SSIM's window.

    Args:
        name: A name of the images that the user knows, say "data.patch".
        size: Their height and width.

    Raises:
        ValueError: Such as "data.patch is 10x8 (height x width): SSIM needs at least 11x11 pixels."
    """
    if min(size) < SSIM_WINDOW:
        height, width = size
        raise ValueError(
            f"{name} is {height}x{width} (height x width): SSIM needs at least {SSIM_WINDOW}x{SSIM_WINDOW} pixels."
        )


def patch(name: str, value: int | Sequence[int]) -> tuple[int, int]:
    """The height and width of a patch that can be scored.

    Args:
        name: The setting as the user writes it, say "data.patch".
        value: Its value: height and width, or the side of a square.

    Raises:
        ValueError: Such as "data.patch must be [height,width] or the side of a square, at least 11 pixels (SSIM's
            window), got [8]."
    """
    sides = (value, value) if isinstance(value, int) else tuple(value)
    if len(sides) != 2 or min(sides) < SSIM_WINDOW:
        given = value if isinstance(value, int) else list(value)
        raise ValueError(
            f"{name} must be [height,width] or the side of a square, at least {SSIM_WINDOW} pixels (SSIM's window), "
            f"got {given}."
        )
    height, width = sides
    return height, width


def one_of(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a value that is not among the choices.

    Args:
        name: The setting as the user writes it, say "data.on_error".
        value: Its value.
        choices: The values that are allowed; those of a ``Literal`` are its ``get_args``.

    Raises:
        ValueError: Such as "data.on_error must be raise or skip, got ignore."
    """
    if value not in choices:
        listed = " or ".join([", ".join(choices[:-1]), choices[-1]])
        raise ValueError(f"{name} must be {listed}, got {value}.")
