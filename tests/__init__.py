"""The tests of deblurlab. They are small, and several run at a time, so each process computes with one thread.

One thread also makes runs comparable to the last bit. With two, about one process in fifty computed other last bits
for a small WGAN than the rest, from the first batch on, for a cause that was not found.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported, which is after this
