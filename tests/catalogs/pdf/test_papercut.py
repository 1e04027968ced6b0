import re

from hypothesis import given
from hypothesis import strategies as st

from catalogs.pdf.papercut import blob, cut, strip

sides = st.floats(20, 300)
seeds = st.text(max_size=12)


def _points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


class TestShapes:
    @given(sides, sides, seeds)
    def test_stay_within_their_box(self, width, height, seed):
        for path in (cut(width, height, seed), blob(width, height, seed), strip(width, height, seed)):
            for x, y in _points(path):
                assert -0.01 <= x <= width + 0.01
                assert -0.01 <= y <= height + 0.01

    def test_are_the_same_for_the_same_seed_and_differ_for_others(self):
        assert cut(90, 50, "a") == cut(90, 50, "a") != cut(90, 50, "b")
