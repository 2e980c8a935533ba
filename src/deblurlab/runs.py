"""Where a run lives. Imports nothing heavy: commands need it before they know what to do."""

from pathlib import Path


def run_folder(parent: str, name: str, ckpt_path: str | None) -> str:
    """``parent/name`` for a new run; to resume with ``ckpt_path=last``, the newest resumable run in ``parent``.

    Raises:
        ValueError: if there is nothing to resume.
    """
    if ckpt_path != "last":
        return f"{parent}/{name}"
    resumable = [path.parents[1] for path in Path(parent).glob("*/checkpoints/last.ckpt")]
    if not resumable:
        raise ValueError(
            f"ckpt_path=last: no run in {parent} has a checkpoint. Name the run's folder with run=..., "
            "or start without ckpt_path."
        )
    return str(max(resumable, key=lambda folder: folder.name))


def checkpoint_file(ckpt_path: str | None, folder: Path) -> Path | None:
    """The file that ``ckpt_path`` names: ``last`` or ``best`` of the run in ``folder``, or a path; None for none.

    Raises:
        ValueError: if there is no such file.
    """
    if ckpt_path is None:
        return None
    file = folder / "checkpoints" / f"{ckpt_path}.ckpt" if ckpt_path in ("last", "best") else Path(ckpt_path)
    if not file.is_file():
        raise ValueError(f"ckpt_path={ckpt_path}: there is no checkpoint {file}.")
    return file
