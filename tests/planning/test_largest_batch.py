import pytest

from deblurlab.planning.chips import topology
from deblurlab.planning.compiler import Cost, DoesNotFitError
from deblurlab.planning.estimate import Estimate
from deblurlab.planning.largest_batch import largest_batch

V2_8 = topology("v2-8")
MIB = 2**20


def step(batch: int, *, fixed: float, per_image: float) -> Estimate:
    cost = Cost(
        flops=1,
        hbm_bytes=1,
        memory_bytes=fixed + per_image * batch,
        cycles=1,
        all_reduces=1,
        all_reduce_bytes=1,
    )
    return Estimate(topology=V2_8, cost=cost, batch=batch, useful_flops=1)


def test_memory_that_grows_linearly_is_foretold() -> None:
    """8 GiB hold 192 MiB and 4 MiB per image 2000 times: two compilations are enough."""
    compiled = []

    def compile_step(batch: int) -> Estimate:
        compiled.append(batch)
        return step(batch, fixed=192 * MIB, per_image=4 * MIB)

    first = step(32, fixed=192 * MIB, per_image=4 * MIB)
    assert largest_batch(first, compile_step, images=10**6) == 2000
    assert compiled == [16, 2000]


def test_memory_that_grows_faster_is_approached_from_above() -> None:
    def compile_step(batch: int) -> Estimate:
        if batch > 1600:
            raise DoesNotFitError("out of memory")
        return step(batch, fixed=192 * MIB, per_image=(4 if batch < 1500 else 8) * MIB)

    found = largest_batch(step(32, fixed=192 * MIB, per_image=4 * MIB), compile_step, images=10**6)
    assert 0.95 * 1500 - 8 < found < 1500
    assert found % 8 == 0


@pytest.mark.parametrize(("images", "largest"), [(8 * 100, 96), (8 * 33, 32)])
def test_no_batch_is_larger_than_the_training_set(images: int, largest: int) -> None:
    first = step(32, fixed=0, per_image=MIB)
    assert largest_batch(first, lambda batch: step(batch, fixed=0, per_image=MIB), images=images) == largest
