"""The parts of :class:`deblurlab.nets.BlindWiener`: the algebra of a Gaussian blur, and its learned modules.

- ``opponent_colours.py``: brightness and two colour differences, which are nearly uncorrelated in natural images.
- ``cosine_transform.py``: the transform in which a blur with mirrored borders is a product.
- ``gaussian_transfer.py``: the factor by which a Gaussian blur weakens each frequency.
- ``frequency_bands.py``: means of a spectrum over a fixed number of frequency bands, for images of any size.
- ``spectral_estimator.py``: the blur and the sharp image's spectrum, estimated from the blurred image's spectrum.
- ``wiener_filter.py``: the best linear filter for a blur that is not known exactly, and its expected error.
- ``deconvolution.py``: all of these together. They run in the dtype of the images, even under autocast.
- ``refinement.py``: a U-Net at half resolution that corrects the remaining error.
"""
