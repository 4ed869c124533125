"""Items made ahead by a thread."""

import itertools
import threading

import pytest

from engine.media.source.prefetch import prefetch


def test_the_same_items_in_the_same_order():
    with prefetch(iter(range(100)), 3) as items:
        assert list(items) == list(range(100))


def test_the_thread_is_ahead_by_no_more_than_the_limit():
    made, enough = [], threading.Event()

    def making():
        for number in itertools.count():
            made.append(number)
            if number == 4:
                enough.set()
            yield number

    with prefetch(making(), 3) as items:
        assert next(items) == 0
        assert enough.wait(10)  # one was taken, three wait, one is in the hand
        assert len(made) == 5


def test_an_error_comes_where_its_item_would_have():
    def making():
        yield 1
        raise ValueError("broken")

    with prefetch(making(), 3) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="broken"):
            next(items)


def test_the_thread_ends_if_the_rest_is_not_taken():
    before = threading.active_count()
    with prefetch(itertools.count(), 2) as items:
        assert next(items) == 0
    assert threading.active_count() == before


def test_the_caller_s_own_error_passes():
    with pytest.raises(KeyError), prefetch(itertools.count(), 2) as items:
        next(items)
        raise KeyError
