"""Opens the folder of a run: its configuration, epochs, scores and network. Without a folder, it trains a small one.

python docs/examples/open_a_run.py                                 # some twenty seconds on a laptop, no download
python docs/examples/open_a_run.py outputs/cifar10_unet16/...      # a run of your own
"""

import subprocess
import sys

import torch

from deblurlab.restoring import load_restorer
from deblurlab.run import open_run

if len(sys.argv) > 1:
    folder = sys.argv[1]
else:
    folder = "small_run"
    short = ["max_epochs=2", "limit_train_batches=20", "limit_val_batches=4", "limit_test_batches=4"]
    command = [sys.executable, "-m", "deblurlab.train", "data=sample", "model=unet16", f"run={folder}"]
    subprocess.run([*command, *(f"trainer.{limit}" for limit in short)], check=True)

# Each file of the folder is read when it is first asked for, and nothing in it is executed.
run = open_run(folder)
print(f"{run.model} on {run.data}, learning rate {run.config.model.optimizer.lr}, seed {run.config.seed}")

# One row per epoch. With pandas: pandas.DataFrame(run.history).plot("epoch", "val/ssim").
for row in run.history:
    print(f"epoch {row['epoch']:.0f}: validation SSIM {row['val/ssim']:.4f}, PSNR {row['val/psnr']:.2f} dB")

# Means over the test images, in plain units.
for version in ("blurred", "restored"):
    print(f"{version:8} test SSIM {run.scores[version]['ssim']:.4f} over {run.scores['images']} images")

# One value per test image: pandas.DataFrame(run.per_image) gives a table.
after, before = run.per_image["restored_ssim"], run.per_image["blurred_ssim"]
best = after.index(max(after))
print(f"best restored is image {best}: SSIM {before[best]:.4f} -> {after[best]:.4f}")

# The network with its best weights, as a plain module: (B, 3, H, W) in [0, 1] to the same.
images = torch.rand(2, 3, 64, 64)
with torch.no_grad():
    restored = run.network(images)
parameters = sum(parameter.numel() for parameter in run.network.parameters())
print(f"{type(run.network).__name__} with {parameters} parameters: {tuple(restored.shape)}")

# For pictures of any size, load_restorer takes the folder of the run.
print("any size:", tuple(load_restorer(folder, device="cpu").restore(torch.rand(1, 3, 61, 75)).shape))
