"""PSNR and SSIM after each restored image is aligned with its sharp one: the scores that are published for RealBlur.

The two cameras of RealBlur do not see exactly the same, so that its authors align before they score (Rim et al., 2020,
``evaluation_RealBlur_ecc.py`` of their repository): the restored image is brought to the brightness of the sharp one
and warped by the homography that maximises the enhanced correlation coefficient of both (ECC, Evangelidis and
Psarakis, 2008). Only pixels that the warped image covers count.
"""

import logging
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from deblurlab.checks import require

log = logging.getLogger(__name__)

# The authors let ECC take 100 steps. Here it stops as soon as the correlation changes by less than this, which takes a
# fraction of the time and changes the PSNR by less than 0.001 dB (tests/metrics/test_aligned.py).
_STEPS, _LEAST_CHANGE = 100, 1e-7
_ECC_BLUR = 5  # the side, in pixels, of the Gaussian filter that ECC applies before it compares


class _Pair(NamedTuple):
    """A restored image on its sharp one.

    Attributes:
        restored: (1, 3, H, W) float32.
        sharp: (1, 3, H, W) float32 in [0, 1].
        covered: (1, 1, H, W), 1 where the restored image has a pixel and 0 elsewhere, where both images are 0.
    """

    restored: Tensor
    sharp: Tensor
    covered: Tensor


class Alignment:
    """Aligns the images of a batch. It keeps the last batch, since several scores may ask for the same one in turn.

    Args:
        names: The scores that use it, for messages.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names, self._warned = ",".join(names), False
        self._last: tuple[Tensor, Tensor, list[_Pair]] | None = None

    def aligned(self, restored: Tensor, sharp: Tensor) -> list[_Pair]:
        """Align each image of two (B, 3, H, W) batches on any device; the results are on the CPU.

        Raises:
            ValueError: If OpenCV is not installed.
        """
        if self._last is None or self._last[0] is not restored or self._last[1] is not sharp:
            both = zip(restored.clamp(0, 1), sharp.clamp(0, 1), strict=True)
            self._last = (restored, sharp, [self._pair(*images) for images in both])
        return self._last[2]

    def _pair(self, restored: Tensor, sharp: Tensor) -> _Pair:
        """Align one image, (3, H, W)."""
        if torch.equal(restored, sharp):  # ECC would move it by a rounding error, and give it a PSNR of about 130 dB
            same = sharp[None].float().cpu()
            return _Pair(same, same, torch.ones_like(same[:, :1]))
        cv2 = _opencv(self.names)
        image, target = (side.float().permute(1, 2, 0).contiguous().cpu().numpy() for side in (restored, sharp))
        if energy := np.square(image, dtype=np.float64).sum():
            image = image * np.float32((image * target).sum(dtype=np.float64) / energy)
        height, width, _ = target.shape
        grey_target, grey_image = (cv2.cvtColor(side, cv2.COLOR_RGB2GRAY) for side in (target, image))
        homography = np.eye(3, dtype=np.float32)
        until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, _LEAST_CHANGE)
        try:
            _, homography = cv2.findTransformECC(
                grey_target, grey_image, homography, cv2.MOTION_HOMOGRAPHY, until, None, _ECC_BLUR
            )
        except cv2.error:  # it finds no maximum, for example in images of one colour
            self._warn(f"an image of {width}x{height} cannot be aligned; such images are scored as they are")
            homography = np.eye(3, dtype=np.float32)
        inverse, size = cv2.WARP_INVERSE_MAP, (width, height)
        warped = cv2.warpPerspective(
            image, homography, size, flags=cv2.INTER_CUBIC | inverse, borderMode=cv2.BORDER_REFLECT
        )
        covered = cv2.warpPerspective(
            np.ones((height, width), np.float32), homography, size, flags=cv2.INTER_NEAREST | inverse
        )[..., None]
        sides = (warped * covered, target * covered, covered)
        return _Pair(*(torch.from_numpy(side).permute(2, 0, 1)[None] for side in sides))

    def _warn(self, words: str) -> None:
        """Warn at the first image that cannot be aligned; a test may have thousands of them."""
        if not self._warned:
            log.warning(f"metrics=[{self.names}]: {words}")
        self._warned = True


class AlignedScore(nn.Module):
    """PSNR or SSIM of images that are aligned first. An image that cannot be aligned is scored as it is.

    Args:
        name: ``aligned_psnr``, in dB and infinite for equal images, or ``aligned_ssim``.
        alignment: What aligns the images; both scores may share one, which then aligns each image once.

    Shape: two (B, 3, H, W) batches, which are clamped to [0, 1], to (B,). H and W are at least 11.

    Raises:
        ValueError: If OpenCV is not installed.
    """

    def __init__(self, name: str, alignment: Alignment) -> None:
        super().__init__()
        self.name, self.alignment = name, alignment
        _opencv(name)

    def forward(self, restored: Tensor, sharp: Tensor) -> Tensor:
        score = _psnr if self.name == "aligned_psnr" else _ssim
        values = [score(pair) for pair in self.alignment.aligned(restored, sharp)]
        return torch.stack(values).to(sharp.device) if values else sharp.new_zeros(0)


def _psnr(pair: _Pair) -> Tensor:
    """PSNR over the covered pixels, a scalar."""
    squares = (pair.restored - pair.sharp).square().double().sum()
    return (-10 * torch.log10(squares / (3 * pair.covered.sum()))).float()


def _ssim(pair: _Pair) -> Tensor:
    """SSIM as :func:`deblurlab.metrics.image.ssim` has it, averaged over the covered positions: a scalar."""
    from kornia.metrics import ssim as ssim_map

    require.large_enough_for_ssim("an image to be scored", (pair.sharp.shape[-2], pair.sharp.shape[-1]))
    values = ssim_map(pair.restored, pair.sharp, window_size=require.SSIM_WINDOW, eps=0.0, padding="valid")
    border = require.SSIM_WINDOW // 2
    covered = pair.covered[..., border:-border, border:-border]
    return (values * covered).sum() / (values.shape[1] * covered.sum())


def _opencv(name: str) -> ModuleType:
    try:
        import cv2
    except ImportError as error:
        raise ValueError(f"metrics=[{name}] needs OpenCV: pip install 'deblurlab[align]'.") from error
    module: ModuleType = cv2
    return module
