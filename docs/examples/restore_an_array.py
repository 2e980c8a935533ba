"""Restores a picture that is a NumPy array, and a batch that is a torch tensor, with weights that come with deblurlab.

python docs/examples/restore_an_array.py      # a few seconds, no download
"""

import numpy as np
import skimage.data
import torch
from PIL import Image, ImageFilter

from deblurlab.metrics.image import psnr, ssim
from deblurlab.restoring import load_restorer

# A sharp photograph of scikit-image, (400, 600, 3) uint8, and the same out of focus. Blurred pictures of your own are
# read by np.array(Image.open("photo.jpg").convert("RGB")).
sharp = skimage.data.coffee()
blurred = np.array(Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(1.5)))

# The name of shipped weights, a safetensors file or the folder of a run. Without `device`, the best one is taken.
restorer = load_restorer("photographs", device="cpu")

# A picture of any height and width; uint8, uint16 or float in [0, 1]. What comes back has the same type.
restored = restorer.restore(blurred)
print("picture", restored.shape, restored.dtype)


def as_batch(picture: np.ndarray) -> torch.Tensor:
    """(H, W, 3) uint8 to (1, 3, H, W) float32 in [0, 1], as torch and the metrics take images."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None] / 255


for title, picture in (("blurred", blurred), ("restored", restored)):
    pair = as_batch(picture), as_batch(sharp)
    print(f"{title:8} PSNR {psnr(*pair).item():.2f} dB, SSIM {ssim(*pair).item():.4f}")

# A batch, (B, 3, H, W) float in [0, 1] on any device, works likewise.
batch = torch.cat([as_batch(blurred[:200]), as_batch(blurred[200:])])
print("batch", tuple(restorer.restore(batch).shape))

# A picture that is too large for the memory, in MiB, is cut to tiles that overlap. They show what the whole would: this
# network takes means over a window, which tiles cut off here and there, so that a few pixels differ by some steps.
in_tiles = restorer.restore(blurred, memory=24)
difference = np.abs(in_tiles.astype(int) - restored)
print(f"{restorer.cut(*blurred.shape[:2], memory=24).count} tiles differ by {difference.mean():.2f} of 255 on average")

Image.fromarray(np.hstack([blurred, restored, sharp])).save("restored.png")
print("restored.png: blurred, restored, sharp")
