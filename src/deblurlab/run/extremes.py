"""A picture of the test images that a network restores best and worst."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from deblurlab.interfaces import Evaluable, Pair
from deblurlab.run import figures

Restored = Callable[[Sequence[int], Pair], Tensor]


def draw_extremes(scores: Mapping[str, Sequence[float]], restored: Restored, data: Evaluable, file: Path) -> None:
    """Draw the two images whose SSIM gains most by restoring, the two of median gain, and the two that gain least.

    Args:
        scores: One value per test image: ``restored_ssim``, ``blurred_ssim``, ``restored_psnr``, ``blurred_psnr``.
        restored: Returns the restored versions of the six images, given their numbers and themselves.
        data: The data module that was tested.
        file: The PNG file to write.
    """
    gain = [after - before for after, before in zip(scores["restored_ssim"], scores["blurred_ssim"], strict=True)]
    order = sorted(range(len(gain)), key=gain.__getitem__, reverse=True)
    middle = len(order) // 2
    rows = list(dict.fromkeys(order[:2] + order[max(0, middle - 1) : middle + 1] + order[-2:]))
    pair = data.examples("test", rows)
    with torch.inference_mode():
        drawn = restored(rows, pair)
    captions = {
        title: [
            figures.score_caption(ssim=scores[f"{version}_ssim"][row], psnr=scores[f"{version}_psnr"][row])
            for row in rows
        ]
        for title, version in (("Blurred", "blurred"), ("Restored", "restored"))
    }
    draw = figures.frame_panel if figures.needs_enlarging(pair) else figures.panel
    figure = draw({"Blurred": pair.blurred, "Restored": drawn, "Sharp": pair.sharp}, captions=captions)
    figures.save(figure, file)
