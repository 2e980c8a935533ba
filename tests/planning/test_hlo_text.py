import pytest

from deblurlab.planning import hlo_text


def test_a_traced_batch_is_split_over_more_cores() -> None:
    traced = '"{devices=[8,1,1,1]0,1,2,3,4,5,6,7}" and "{devices=[8,1]<=[8]}" and "{replicated}"'
    split = '"{devices=[64,1,1,1]<=[64]}" and "{devices=[64,1]<=[64]}" and "{replicated}"'
    assert hlo_text.split_over(traced, 64) == split


def test_all_reduces_are_weighed() -> None:
    hlo = """
      %a = f32[64]{0:T(256)} all-reduce(%x), channel_id=1
      %b = (f32[64]{0}, bf16[3,4]{1,0}) all-reduce-start(%x, %y), channel_id=2
      %c = f32[] all-reduce(%z), to_apply=%sum
      %d = f32[9]{0} add(%all-reduce.1, %all-reduce.2)
    """
    assert hlo_text.all_reduce_bytes(hlo) == [256, 256 + 24, 4]


def test_cycles_are_summed_over_operations() -> None:
    hlo = """
      %a = f32[64]{0} fusion(%x), backend_config={"estimated_cycles":"1200","other":"7"}
      %b = f32[64]{0} copy(%a), backend_config={"estimated_cycles":"34"}
    """
    assert hlo_text.estimated_cycles(hlo) == 1234


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (lambda text: hlo_text.split_over(text, 8), "batch that is split over devices"),
        (hlo_text.all_reduce_bytes, "all-reduces"),
        (hlo_text.estimated_cycles, "estimated cycles"),
    ],
    ids=["shardings", "all-reduces", "cycles"],
)
def test_a_compiler_that_prints_otherwise_is_an_error_not_a_zero(read, what: str) -> None:
    with pytest.raises(ValueError, match=rf"plan finds no {what}.*pip install 'libtpu==0\.0\.52'"):
        read('%a = f32[64]{0} fusion(%x), backend_config={"cycles":"1200"}')
