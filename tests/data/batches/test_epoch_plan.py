import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deblurlab.data.batches.epoch_plan import EpochPlan, evaluation_plan, training_plan
from deblurlab.data.batches.host import Host


def plan(
    patches: np.ndarray,
    groups: np.ndarray,
    *,
    batch_size: int = 4,
    epoch: int = 0,
    open_groups: int = 10**6,
    mixed_frames: int = 10**6,
) -> EpochPlan:
    return training_plan(
        patches=patches,
        groups=groups,
        batch_size=batch_size,
        seed=7,
        epoch=epoch,
        open_groups=open_groups,
        mixed_frames=mixed_frames,
    )


def items(made: EpochPlan) -> list[tuple[int, int]]:
    return list(zip(made.frames.ravel().tolist(), made.patches.ravel().tolist(), strict=True))


@settings(max_examples=60)
@given(
    group_sizes=st.lists(st.integers(1, 6), min_size=3, max_size=9),
    grid=st.integers(1, 5),
    hosts=st.integers(1, 3),
    open_groups=st.integers(1, 12),
    mixed_frames=st.integers(1, 60),
)
def test_hosts_share_the_batches_of_one(
    group_sizes: list[int], grid: int, hosts: int, open_groups: int, mixed_frames: int
) -> None:
    groups = np.repeat(np.arange(len(group_sizes)), group_sizes)
    patches = np.full(len(groups), grid)
    whole = plan(patches, groups, batch_size=hosts, open_groups=open_groups, mixed_frames=mixed_frames)
    assert len(set(items(whole))) == len(items(whole)) == len(groups) * grid // hosts * hosts
    shares = [whole.share(Host(rank, hosts)) for rank in range(hosts)]
    assert {share.frames.shape[1] for share in shares} == {1}
    for field in ("frames", "patches", "flips", "valid", "places", "numbers"):
        joined = np.concatenate([getattr(share, field) for share in shares], axis=1)
        np.testing.assert_array_equal(joined, getattr(whole, field))


def test_hosts_read_mostly_different_frames() -> None:
    """A frame is read by fewer than two of four hosts on average. Rows in any order have nearly all four read it."""
    patches, groups = np.full(800, 12), np.repeat(np.arange(80), 10)
    drawn = plan(patches, groups, batch_size=32, open_groups=8, mixed_frames=16)
    sorted_rows = drawn.gathered(groups, (7, 0))
    batch = np.arange(len(drawn.frames))[:, None]
    by_number, again = (np.argsort(made.numbers, axis=1) for made in (drawn, sorted_rows))
    for field in ("frames", "patches", "flips", "valid", "places", "numbers"):  # the same batches: whole rows are moved
        np.testing.assert_array_equal(
            getattr(drawn, field)[batch, by_number], getattr(sorted_rows, field)[batch, again]
        )

    def times_read(made: EpochPlan) -> float:
        return sum(len(set(made.share(Host(rank, 4)).frames.ravel().tolist())) for rank in range(4)) / 800

    assert times_read(sorted_rows) < 2 < 3.5 < times_read(drawn)


def test_epochs_differ_and_repeat_exactly() -> None:
    patches, groups = np.full(20, 3), np.arange(20)
    first, again, second = (plan(patches, groups, epoch=epoch) for epoch in (0, 0, 1))
    for left, right in zip(first, again, strict=True):
        np.testing.assert_array_equal(left, right)
    assert items(first) != items(second)
    assert (first.flips != second.flips).any()


def test_windows_bound_what_is_open_at_once() -> None:
    groups = np.repeat(np.arange(30), 10)
    made = plan(np.full(300, 4), groups, open_groups=3, mixed_frames=20)
    order = made.frames.ravel()
    for ids, most in ((order, 2 * 20), (groups[order], 2 * 3 + 2 * 20 // 10 + 2)):
        first = {int(item): place for place, item in reversed(list(enumerate(ids)))}
        last = {int(item): place for place, item in enumerate(ids)}
        live = [sum(first[item] <= place <= last[item] for item in first) for place in range(0, len(ids), 37)]
        assert max(live) <= most


def test_unlimited_windows_are_a_uniform_shuffle() -> None:
    """Over many epochs each patch is as often in the first half as chance has it."""
    patches, groups = np.full(8, 2), np.repeat(np.arange(4), 2)
    count = np.zeros((8, 2))
    for epoch in range(400):
        made = plan(patches, groups, batch_size=8, epoch=epoch)
        np.add.at(count, (made.frames[0], made.patches[0]), 1)
    assert np.abs(count - 200).max() < 5 * 10  # five standard deviations


def test_too_few_patches_for_a_batch() -> None:
    with pytest.raises(ValueError, match=r"12 training patches make no batch of 16: lower data\.batch_size"):
        plan(np.full(4, 3), np.arange(4), batch_size=16)


@settings(max_examples=60)
@given(kinds=st.lists(st.integers(0, 2), min_size=1, max_size=25), batch_size=st.integers(1, 6))
def test_evaluation_sees_every_item_once(kinds: list[int], batch_size: int) -> None:
    kind = np.array(kinds)
    frames = np.arange(len(kinds))
    made = evaluation_plan(frames=frames, patches=frames * 0, kinds=kind, batch_size=batch_size)
    in_order = frames[np.argsort(kind, kind="stable")]
    np.testing.assert_array_equal(made.frames[made.valid], in_order)
    assert made.frames.shape[1] == batch_size
    assert all(len(set(kind[row])) == 1 for row in made.frames)
    assert not made.flips.any()
