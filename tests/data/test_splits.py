import numpy as np
import pytest

from deblurlab.data.splits import hold_out_images, hold_out_sequences


def test_an_eighth_of_the_images_is_held_out_and_none_is_lost() -> None:
    kept, out = hold_out_images(50_000)
    assert (len(kept), len(out)) == (43_750, 6_250)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, out])), np.arange(50_000))


def test_validation_holds_out_whole_sequences() -> None:
    sequences = [f"{sequence:03}" for sequence in range(240) for _ in range(10)]
    mask = hold_out_sequences(sequences, "REDS")
    assert mask.sum() == 300
    assert set(mask.reshape(240, 10).sum(axis=1)) == {0, 10}


def test_few_sequences_hold_out_their_last_frames_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    mask = hold_out_sequences(["a"] * 16 + ["b"] * 3 + ["c"], "REDS")
    np.testing.assert_array_equal(np.flatnonzero(mask), [14, 15, 18])
    assert "3 sequences cannot spare one" in caplog.text


def test_single_frames_cannot_be_hold_out_sequences() -> None:
    with pytest.raises(ValueError, match="2 frames cannot spare one for validation"):
        hold_out_sequences(["a", "b"], "REDS")
