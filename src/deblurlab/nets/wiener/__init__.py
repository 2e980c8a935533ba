"""What :class:`deblurlab.nets.BlindWiener` is made of: the algebra of a Gaussian blur, and what is learned beside it.

- ``opponent_colours.py``: brightness and two differences of colours, which have little in common.
- ``cosine_transform.py``: the transform in which a blur with mirrored borders is a product.
- ``gaussian_transfer.py``: by how much a Gaussian blur weakens each frequency.
- ``frequency_bands.py``: spectra of any size, told by as many numbers as there are bands.
- ``spectral_estimator.py``: the blur and the sharp image's spectrum, estimated from the blurred image's spectrum.
- ``wiener_filter.py``: the best linear filter for a blur that is not known exactly, and the error that it leaves.
- ``deconvolution.py``: all of these together. They are computed in the type of the images, whatever autocast is active.
- ``refinement.py``: convolutions at half resolution that correct what the filter leaves.
"""
