"""What makes a sharp image blurred. Every blur is a convolution with a kernel that is drawn from a seed.

- ``gaussian.py``: Gaussian blur of batches on the training device, exact to the bit on every device.
- ``kernels.py``: Gaussian and camera-shake kernels, and their convolution with whole pictures on the host.
"""
