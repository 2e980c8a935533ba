import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deblurlab.tasks.patches import assemble, cut


@settings(max_examples=50)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_assembling_what_was_cut_is_the_identity(batch: int, rows: int, columns: int, height: int, width: int) -> None:
    images = torch.rand(batch, 3, rows * height, columns * width)
    patches = cut(images, (rows, columns))
    assert patches.shape == (batch * rows * columns, 3, height, width)
    assert torch.equal(assemble(patches, (rows, columns)), images)


def test_patches_are_counted_along_the_rows() -> None:
    image = torch.arange(6 * 8).reshape(1, 1, 6, 8)
    patches = cut(image, (3, 4))
    assert torch.equal(patches[5, 0], image[0, 0, 2:4, 2:4])  # row 1, column 1
    assert torch.equal(cut(image, (1, 1)), image)
