from collections.abc import Callable, Iterator

from deblurlab.data.batches.resumable import ResumableLoader


class Letters(ResumableLoader[str]):
    """Four batches an epoch: 0a 0b 0c 0d, 1a 1b ..."""

    def __init__(self, epoch: Callable[[], int] | None = None) -> None:
        super().__init__(epoch=epoch)

    def __len__(self) -> int:
        return 4

    def batches(self, epoch: int, *, start: int = 0) -> Iterator[str]:
        return (f"{epoch}{letter}" for letter in "abcd"[start:])


def test_a_plain_loop_counts_the_epochs() -> None:
    loader = Letters()
    assert [batch for _ in range(2) for batch in loader] == ["0a", "0b", "0c", "0d", "1a", "1b", "1c", "1d"]
    assert next(iter(loader)) == "2a"


def test_a_plain_loop_goes_on_in_the_epoch_of_the_state() -> None:
    loader = Letters()
    list(loader)
    for batch in loader:
        if batch == "1b":
            break
    resumed = Letters()
    resumed.load_state_dict(loader.state_dict())
    assert [list(resumed), list(resumed)] == [["1c", "1d"], ["2a", "2b", "2c", "2d"]]


def test_a_state_is_of_its_epoch_alone() -> None:
    """A trainer that ends its epochs early goes on in the next one, from the first batch."""
    for epoch, left in ((5, ["5c", "5d"]), (6, ["6a", "6b", "6c", "6d"])):
        loader = Letters(lambda epoch=epoch: epoch)
        loader.load_state_dict({"epoch": 5, "consumed_batches": 2})
        assert list(loader) == left


def test_the_epoch_is_asked_with_the_first_batch_not_before() -> None:
    asked = []
    loader = Letters(lambda: asked.append(0) or len(asked))  # type: ignore[func-returns-value]
    batches = iter(loader)
    assert not asked
    assert next(batches) == "1a"


def test_a_loaded_state_is_kept_until_the_next_batch() -> None:
    """A checkpoint may be written before the first batch after a resume."""
    state = {"epoch": 3, "consumed_batches": 2}
    loader = Letters(lambda: 3)
    loader.load_state_dict(state)
    assert loader.state_dict() == state
    next(iter(loader))
    assert loader.state_dict() == {"epoch": 3, "consumed_batches": 3}


def test_states_of_earlier_versions_knew_no_epoch() -> None:
    for consumed, left in ((2, ["7c", "7d"]), (4, ["7a", "7b", "7c", "7d"])):
        loader = Letters(lambda: 7)
        loader.load_state_dict({"consumed_batches": consumed})
        assert list(loader) == left
