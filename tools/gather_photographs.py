"""Gather what `experiment=photographs` trains on into one folder of links.

    python tools/gather_photographs.py DATA OUT

DATA holds gopro/, reds/ and kodak/ as published. Training: GOPRO's training pairs; sharp photographs, namely twenty
of Kodak's, the first sharp frame of each training clip of REDS, and three that scikit-image bundles. Test: GOPRO's
test pairs, REDS' validation pairs, and the four photographs of Kodak left over.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

PAIRS = {
    "train": {
        "gopro": ("gopro/train/{}/blur", "gopro/train/{}/sharp"),
    },
    "test": {
        "gopro": ("gopro/test/{}/blur", "gopro/test/{}/sharp"),
        "reds": ("reds/val/val_blur/{}", "reds/val/val_sharp/{}"),
    },
}
HELD_OUT = ("04.png", "09.png", "19.png", "23.png")  # of Kodak: a face, sails, a lighthouse, parrots


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
    for photograph in sorted((options.data / "kodak").glob("*.png")):
        split = "test" if photograph.name in HELD_OUT else "train"
        link(photograph, options.out / split / "photographs" / f"kodak_{photograph.name}")
    for clip in sorted((options.data / "reds/train/train_sharp").iterdir()):
        link(min(clip.glob("*.png")), options.out / "train" / "photographs" / f"reds_{clip.name}.png")
    bundled = {
        "astronaut": skimage.data.astronaut(),
        "motorcycle": skimage.data.stereo_motorcycle()[0],
        "rocket": skimage.data.rocket(),
    }
    for name, pixels in bundled.items():
        Image.fromarray(np.asarray(pixels)).save(options.out / "train" / "photographs" / f"skimage_{name}.png")


if __name__ == "__main__":
    main()
