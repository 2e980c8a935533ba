"""Trains a network in a plain PyTorch loop, on deblurlab's data but without Hydra and without Lightning's Trainer.

python docs/examples/train_in_a_plain_loop.py      # some ten seconds on a laptop, no download
"""

from itertools import islice

import torch
from torch import Tensor, nn

from deblurlab.data import Sample
from deblurlab.losses import LogCosh
from deblurlab.metrics.image import psnr

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
EPOCHS = 2
STEPS_PER_EPOCH = 60  # an epoch of the sample photographs has some 130 steps; so few show the loss fall already


class Sharpener(nn.Module):
    """Three convolutions that add to the blurred image what it lacks; it starts as the identity.

    Any module from (B, 3, H, W) to the same shape will do, such as those of deblurlab.nets.
    """

    def __init__(self) -> None:
        super().__init__()
        last = nn.Conv2d(16, 3, 5, padding=2, padding_mode="reflect")
        nn.init.zeros_(last.weight)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 5, padding=2, padding_mode="reflect"),
            nn.ReLU(),
            nn.Conv2d(16, 16, 5, padding=2, padding_mode="reflect"),
            nn.ReLU(),
            last,
        )

    def forward(self, blurred: Tensor) -> Tensor:
        restored: Tensor = blurred + self.layers(blurred)
        return restored


torch.manual_seed(0)
network = Sharpener().to(DEVICE)
optimizer = torch.optim.Adam(network.parameters(), lr=5e-4)
content_loss = LogCosh()

# Any class of deblurlab.data is made with keyword arguments: the keys of `data` on the command line.
data = Sample(batch_size=16, sigma_range=(1.5, 2.5))


@torch.no_grad()
def mean_psnr() -> tuple[float, float]:
    """PSNR in dB of the blurred and of the restored validation images: the mean over images."""
    blurred, restored = [], []
    for pair in data.batches("val", device=DEVICE):
        # The last batch is filled up to the full batch size: only the rows that are valid count.
        blurred.append(psnr(pair.blurred, pair.sharp)[pair.valid])
        restored.append(psnr(network(pair.blurred), pair.sharp)[pair.valid])
    return float(torch.cat(blurred).mean()), float(torch.cat(restored).mean())


for epoch in range(EPOCHS):
    # Each epoch has a new order, new flips and new blur, drawn from the data's seed and the epoch's number.
    for pair in islice(data.batches("train", epoch=epoch, device=DEVICE), STEPS_PER_EPOCH):
        optimizer.zero_grad()
        # pair.blurred and pair.sharp are (B, 3, H, W) in [0, 1]; the loss has one value per image.
        loss = content_loss(network(pair.blurred), pair.sharp).mean()
        loss.backward()
        optimizer.step()
    before, after = mean_psnr()
    print(f"epoch {epoch}: last training loss {loss:.2e}, validation PSNR {before:.2f} dB -> {after:.2f} dB")

# The weights alone: network.load_state_dict(torch.load("network.pt", weights_only=True)) reads them again.
torch.save(network.state_dict(), "network.pt")
print("network.pt")
