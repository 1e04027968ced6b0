import threading
from itertools import count, islice

import pytest

from core.ahead import ahead


class TestAhead:
    def test_keeps_the_order(self):
        assert list(ahead(range(100))) == list(range(100))

    def test_raises_in_the_place_of_the_item_that_could_not_be_made(self):
        def items():
            yield 1
            raise ValueError("broken")

        made = ahead(items())
        assert next(made) == 1
        with pytest.raises(ValueError, match="broken"):
            next(made)

    def test_leaves_no_thread_behind_when_nobody_wants_the_rest(self):
        made = ahead(count())
        assert list(islice(made, 3)) == [0, 1, 2]
        made.close()
        assert "ahead" not in [thread.name for thread in threading.enumerate()]

    def test_works_in_another_thread(self):
        mine = threading.get_ident()
        assert next(iter(ahead(threading.get_ident() for _ in range(1)))) != mine
