"""Rows folded into channels: the same networks, shaped for the matrix unit of a TPU.

A TPU multiplies matrices of 128 x 128. A convolution from 64 to 64 channels fills a quarter of such a matrix. If two
neighbouring rows of an image count as one row of 128 channels, the same convolution fills three quarters of it:
``convolution`` has a drawing.

The networks know nothing of this: they are plain PyTorch. :func:`fold_rows` makes a network fold its input images. Its
layers then exchange a :class:`~deblurlab.nets.folding.folded.Folded` instead of a Tensor. Such a class can override
PyTorch's functions (``__torch_function__``). Their versions for folded rows are in ``convolution``,
``transposed_convolution``, ``batch_norm`` and ``elementwise``. For all other functions the rows are unfolded, so that a
network computes the same in any case.

Batch normalisations are replaced from outside in the same way: ``replace_norms`` replaces them, and
``grouped_batch_norm`` has a layer that normalises the images of each device separately.
"""

from deblurlab.nets.folding.grouped_batch_norm import GroupedBatchNorm
from deblurlab.nets.folding.networks import fold_rows, without_folding
from deblurlab.nets.folding.replace_norms import ReplacedNorm, replace_norms

__all__ = ["GroupedBatchNorm", "ReplacedNorm", "fold_rows", "replace_norms", "without_folding"]
