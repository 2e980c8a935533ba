import numpy as np
import pytest
import torch

from deblurlab.data.batches.drawn_loader import DrawnImages, DrawnLoader, SharpBatch
from deblurlab.data.batches.draws import BatchDraw, evaluation_draws, training_draws
from deblurlab.data.batches.host import Host


def _draws(*, epoch: int = 0, seed: int = 0, fixed_blur: bool = False) -> list[BatchDraw]:
    return training_draws(images=50, batch_size=8, sigma_range=(0, 3), seed=seed, epoch=epoch, fixed_blur=fixed_blur)


def equal(left: SharpBatch, right: SharpBatch) -> bool:
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(left, right, strict=True))


def _column(draws: list[BatchDraw], name: str) -> np.ndarray:
    return np.concatenate([getattr(draw, name) for draw in draws])


def test_an_epoch_shows_each_image_at_most_once_and_drops_the_rest() -> None:
    shown = _column(_draws(), "images")
    assert len(shown) == len(set(shown)) == 48


def test_an_epoch_is_a_function_of_seed_and_epoch() -> None:
    for name in BatchDraw._fields[:-1]:
        np.testing.assert_array_equal(_column(_draws(epoch=3), name), _column(_draws(epoch=3), name))


@pytest.mark.parametrize("name", ["images", "sigma", "flips"])
def test_epochs_and_seeds_differ(name: str) -> None:
    assert (_column(_draws(epoch=0), name) != _column(_draws(epoch=1), name)).any()
    assert (_column(_draws(seed=0), name) != _column(_draws(seed=1), name)).any()


def test_fixed_blur_stays_with_its_image() -> None:
    def sigma_of_image(epoch: int) -> dict[int, float]:
        draws = _draws(epoch=epoch, fixed_blur=True)
        return dict(zip(_column(draws, "images").tolist(), _column(draws, "sigma").tolist(), strict=True))

    first, second = sigma_of_image(0), sigma_of_image(1)
    both = first.keys() & second.keys()
    assert len(both) > 40
    assert all(first[image] == second[image] for image in both)


def test_flips_are_independent_and_fair() -> None:
    draws = training_draws(images=20_000, batch_size=100, sigma_range=(0, 3), seed=0, epoch=0, fixed_blur=False)
    flips = _column(draws, "flips")
    for horizontal in (False, True):
        for vertical in (False, True):
            assert (flips == (horizontal, vertical)).all(axis=1).mean() == pytest.approx(0.25, abs=0.02)


def test_evaluation_shows_everything_once_in_batches_of_one_size() -> None:
    draws = evaluation_draws(sigma=np.linspace(0, 3, 10), batch_size=4)
    assert [len(draw.images) for draw in draws] == [4, 4, 4]
    assert _column(draws, "images")[_column(draws, "valid")].tolist() == list(range(10))


def test_too_few_images_for_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match=r"lower data\.batch_size"):
        training_draws(images=7, batch_size=8, sigma_range=(0, 3), seed=0, epoch=0, fixed_blur=False)


@pytest.mark.parametrize("workers", [0, 2])
def test_goes_on_behind_the_last_batch_it_gave(workers: int) -> None:
    def loader() -> DrawnLoader:
        images = torch.randint(0, 256, (50, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        return DrawnLoader(
            DrawnImages(images, sigma_max=3, host=Host()),
            lambda epoch: _draws(epoch=epoch),
            workers=workers,
            epoch=lambda: 2,
        )

    whole = list(loader())
    assert all(equal(*pair) for pair in zip(whole, loader().batches(2), strict=True))
    interrupted = loader()
    iterator = iter(interrupted)
    for _ in range(4):
        next(iterator)
    resumed = loader()
    resumed.load_state_dict(interrupted.state_dict())
    rest = list(resumed)
    assert len(rest) == 2
    assert all(equal(*pair) for pair in zip(rest, whole[4:], strict=True))
    assert len(list(resumed)) == 6, "the next epoch starts at its beginning"


def test_the_hosts_shares_make_up_the_batch() -> None:
    images = torch.arange(12, dtype=torch.uint8)[:, None, None, None].expand(12, 3, 8, 8)
    draw = BatchDraw(
        np.arange(12)[::-1].copy(),
        np.linspace(0.1, 1, 12),
        np.random.default_rng(0).random((12, 2)) < 0.5,
        np.arange(12) < 7,
        np.random.default_rng(1).random((12, 2)),
        side=4,
    )
    whole = DrawnImages(images, sigma_max=1, host=Host())[draw]
    shares = [DrawnImages(images, sigma_max=1, host=Host(rank, 3))[draw] for rank in range(3)]
    assert {len(share.sharp) for share in shares} == {4}
    for field, parts in zip(whole[:-1], zip(*(share[:-1] for share in shares), strict=True), strict=True):
        assert torch.equal(field, torch.cat(parts))
    assert {share.side for share in shares} == {4}
