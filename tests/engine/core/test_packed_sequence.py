from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from engine.core.packed_sequence import BLOCK_ITEMS, PackedSequence

COUNT = 3 * BLOCK_ITEMS + 7


def pack(values, decode=msgspec.json.decode, **options):
    return PackedSequence(values, msgspec.json.encode, decode, **options)


@pytest.mark.parametrize("count", [0, 1, BLOCK_ITEMS - 1, BLOCK_ITEMS, BLOCK_ITEMS + 1, COUNT])
def test_it_is_the_sequence_that_was_packed(count):
    values = [number / 7 for number in range(count)]
    packed = pack(iter(values))
    assert len(packed) == count
    assert list(packed) == values
    assert [packed[index] for index in range(count)] == values
    assert [packed[index] for index in range(-count, 0)] == values
    assert packed[count // 3 : -2 : 5] == tuple(values[count // 3 : -2 : 5])
    assert list(reversed(packed)) == values[::-1]
    for index in (count, -count - 1):
        with pytest.raises(IndexError):
            packed[index]


def test_it_equals_sequences_with_the_same_values():
    values = tuple(range(COUNT))
    assert pack(values) == values
    assert values == pack(values)
    assert pack(values) == pack(values)
    assert pack(values) != (*values[:-1], 0)
    assert pack(values) != values[:-1]
    assert pack(["a"]) != "a"
    assert pack([]) != 3


def test_a_block_is_decoded_once_while_it_is_among_the_last_that_were_read():
    decoded = []

    def decode(data):
        decoded.append(data)
        return msgspec.json.decode(data)

    packed = pack(range(COUNT), decode, cached_blocks=2)
    assert [packed[index] for index in (0, 1, BLOCK_ITEMS, 2, 3)] == [0, 1, BLOCK_ITEMS, 2, 3]
    assert len(decoded) == 2
    packed[2 * BLOCK_ITEMS]  # in place of the second block, which was not read for longest
    packed[4]
    assert len(decoded) == 3
    packed[BLOCK_ITEMS]
    assert len(decoded) == 4


def test_blocks_are_yielded_as_they_were_encoded():
    blocks = list(pack(range(BLOCK_ITEMS + 2)).iterate_encoded())
    assert blocks == [msgspec.json.encode(list(range(BLOCK_ITEMS))), b"[256,257]"]


def test_threads_read_the_same_values():
    packed = pack(range(20 * BLOCK_ITEMS))
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(list, [packed] * 8)) == [list(range(20 * BLOCK_ITEMS))] * 8
