"""The blur of sharp images, drawn from a seed.

- ``gaussian.py``: Gaussian blur of batches on the training device, exact to the bit on every device.
- ``kernels.py``: Gaussian and camera-shake kernels, and their convolution with whole pictures on the host.
- ``camera.py``: realistic camera blur of patches on the host. ``shaking.py``, ``tremor.py`` and ``exposure.py`` have a
  shaking camera and moving objects, ``masks.py`` the objects' outlines, ``defocus.py`` the lens out of focus,
  ``light.py`` and ``sensor.py`` linear light and noise, ``compression.py`` JPEG.
- ``windows.py``, ``ranges.py``: parts of pictures, and ranges of random numbers.
"""
