"""Gather what `experiment=photographs` trains on into one folder of links.

    python tools/gather_photographs.py DATA OUT

DATA holds gopro/, reds/, kodak/ and cid22/ as published. Training: the training pairs of GOPRO and REDS, and sharp
photographs, namely the sharp frames of these pairs and all of Kodak's and CID22's that are not held out. Test: GOPRO's
test pairs, REDS' validation pairs, four photographs of Kodak's and twenty of CID22's.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

PAIRS = {
    "train": {
        "gopro": ("gopro/train/{}/blur", "gopro/train/{}/sharp"),
        "reds": ("reds/train/train_blur/{}", "reds/train/train_sharp/{}"),
    },
    "test": {
        "gopro": ("gopro/test/{}/blur", "gopro/test/{}/sharp"),
        "reds": ("reds/val/val_blur/{}", "reds/val/val_sharp/{}"),
    },
}
KODAK_HELD_OUT = ("04.png", "09.png", "19.png", "23.png")  # a face, sails, a lighthouse, parrots


def held_out_of_cid22(files: list[Path]) -> list[Path]:
    """Every tenth in the order of their names, from the fifth on, twenty in all: chosen before anything was trained."""
    return files[4::10][:20]


def pairs(data: Path, name: str, folders: tuple[str, str]) -> Iterator[tuple[str, Path, Path]]:
    """A name, and the blurred and the sharp file of every pair."""
    blurred, sharp = folders
    for file in sorted(data.glob(blurred.format("*") + "/*.png")):
        sequence = next(part for part in reversed(file.parts[:-1]) if part != "blur")
        yield f"{name}_{sequence}/{file.name}", file, data / sharp.format(sequence) / file.name


def link(target: Path, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.symlink_to(target.resolve(strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    if options.out.exists():
        parser.error(f"{options.out} is there already: choose another, or delete it")
    for split, sets in PAIRS.items():
        for name, folders in sets.items():
            for frame, blurred, sharp in pairs(options.data, name, folders):
                link(blurred, options.out / split / "blurred" / frame)
                link(sharp, options.out / split / "sharp" / frame)
                if split == "train":
                    link(sharp, options.out / split / "photographs" / frame.replace("/", "_"))
    kodak, cid22 = (sorted((options.data / name).glob("*.*")) for name in ("kodak", "cid22"))
    held_out = {file for file in kodak if file.name in KODAK_HELD_OUT} | set(held_out_of_cid22(cid22))
    for photograph in kodak + cid22:
        split = "test" if photograph in held_out else "train"
        link(photograph, options.out / split / "photographs" / f"{photograph.parent.name}_{photograph.name}")


if __name__ == "__main__":
    main()
