"""Plans the pairs that are made of videos, and divides them into splits."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deblurlab.checks.words import counted
from deblurlab.data.preparing.video_survey import Stretch, Survey
from deblurlab.data.splits import HELD_OUT_SHARE, fixed_order
from deblurlab.interfaces import Split

log = logging.getLogger(__name__)


class PlannedPair(NamedTuple):
    """A pair to make.

    Attributes:
        stretch: The frames of the video from which it is made.
        split: The split that it belongs to.
        scene: The name of the scene, and of the pair's folder.
        name: The name of both of its files.
    """

    stretch: Stretch
    split: Split
    scene: str
    name: str

    def files(self, folder: Path) -> tuple[Path, Path]:
        """The blurred and the sharp file: the layout of GOPRO_Large, and a split ``val`` beside its two."""
        above = folder / self.split / self.scene
        return above / "blur" / self.name, above / "sharp" / self.name


def plan_pairs(surveys: Sequence[Survey], *, top: Path | None) -> list[tuple[Survey, list[PlannedPair]]]:
    """The pairs of each video, in the order of its frames.

    Frames of one scene are near copies of each other, so whole scenes are held out: an eighth of them (at least one)
    for the test, and as many for validation. With several videos, whole videos are held out instead, because two scenes
    of a video may show the same. With fewer than three scenes or videos, the last frames of each are held out, with a
    warning.

    Args:
        surveys: The survey of each video.
        top: The folder in which the videos were found; None if there is one video, whose scenes are divided.

    Raises:
        ValueError: If the scenes of two videos would have the same name, or there are too few pairs for three splits.
    """
    scenes = [_named(survey, top) for survey in surveys]
    for name, count in Counter(stem for stem, _ in scenes).items():
        if count > 1:
            same = [str(survey.file) for survey, (stem, _) in zip(surveys, scenes, strict=True) if stem == name]
            raise ValueError(f"{' and '.join(same)} would have scenes of one name, {name}_001: rename one of them.")
    groups = [[name if top is None else stem for name, _ in found] for stem, found in scenes]
    splits = _split_of_groups(list(dict.fromkeys(group for names in groups for group in names)))
    if not splits:
        log.warning(
            "There are too few scenes to hold some out, so the last frames of each are held out. They resemble the "
            "other frames, so scores on them are too good."
        )
    plan = []
    for survey, (_, found), names in zip(surveys, scenes, groups, strict=True):
        pairs = []
        for (scene, stretches), group in zip(found, names, strict=True):
            chosen = [splits[group]] * len(stretches) if splits else _split_of_stretches(len(stretches))
            for number, (stretch, split) in enumerate(zip(stretches, chosen, strict=True)):
                pairs.append(PlannedPair(stretch, split, scene, f"{number:06}.png"))
        plan.append((survey, pairs))
    there = {pair.split for _, pairs in plan for pair in pairs}
    if len(there) < 3:
        total = sum(len(pairs) for _, pairs in plan)
        raise ValueError(
            f"{surveys[0].file} gives {counted(total, 'frame pair')} in which something moves, too few to train, to "
            "validate and to test: film longer."
        )
    return plan


def _named(survey: Survey, top: Path | None) -> tuple[str, list[tuple[str, list[Stretch]]]]:
    """A name for the video, and its scenes with pairs, each with a name."""
    file = survey.file if top is None else survey.file.relative_to(top)
    stem = file.stem if top is None else "_".join(file.with_suffix("").parts)
    return stem, [(f"{stem}_{number:03}", found) for number, found in enumerate(survey.scenes, 1) if found]


def _split_of_groups(groups: Sequence[str]) -> dict[str, Split]:
    """The split of each group, the same in every run; none if there are fewer groups than splits."""
    if len(groups) < 3:
        return {}
    shuffled = [groups[index] for index in fixed_order(len(groups))]
    out = max(1, round(HELD_OUT_SHARE * len(groups)))
    splits: dict[str, Split] = dict.fromkeys(groups, "train")
    return splits | dict.fromkeys(shuffled[:out], "test") | dict.fromkeys(shuffled[out : 2 * out], "val")


def _split_of_stretches(count: int) -> list[Split]:
    """The split of each stretch of a scene: the last eighth is for the test, the eighth before it for validation."""
    out = max(1, round(HELD_OUT_SHARE * count)) if count >= 3 else 0
    order: tuple[tuple[Split, int], ...] = (("train", count - 2 * out), ("val", out), ("test", out))
    return [split for split, number in order for _ in range(number)]
