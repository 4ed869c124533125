"""A sequence of very many values in little memory."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import TypeVar, overload

Item = TypeVar("Item")

BLOCK_ITEMS = 256
"""Values of a block, if nothing else is said."""
_COMPRESSION = 1
"""The fastest level; the next ones save a tenth and take twice as long."""


class PackedSequence(Sequence[Item]):
    """Values in compressed blocks; a block is decoded when one of its values is read. Several threads may read it.

    A Python object for each face of a long video would take ten times the memory.

    Args:
        values: the values, which are not kept.
        encode: encodes a block of values. What it gives is kept, and `iterate_encoded` yields it.
        decode: decodes a block.
        cached_blocks: number of blocks that stay decoded: the last ones that were read.
        block_items: values that are packed together: to read one of them, all are decoded.
    """

    def __init__(
        self,
        values: Iterable[Item],
        encode: Callable[[Sequence[Item]], bytes],
        decode: Callable[[bytes], Sequence[Item]],
        cached_blocks: int = 2,
        block_items: int = BLOCK_ITEMS,
    ) -> None:
        self._decode, self._cached_blocks, self._block_items = decode, cached_blocks, block_items
        self._cache: OrderedDict[int, Sequence[Item]] = OrderedDict()
        self._lock = Lock()
        self._blocks: list[bytes] = []
        self._count = 0
        remaining = iter(values)
        while block := tuple(islice(remaining, block_items)):
            self._blocks.append(zlib.compress(encode(block), _COMPRESSION))
            self._count += len(block)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        for number in range(len(self._blocks)):
            yield from self._read_block(number)

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Item, ...]: ...

    def __getitem__(self, index: int | slice) -> Item | tuple[Item, ...]:
        if isinstance(index, slice):
            return tuple(self[number] for number in range(*index.indices(self._count)))
        number, place = divmod(range(self._count)[index], self._block_items)
        return self._read_block(number)[place]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(one == same for one, same in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment] # equal to a tuple, whose hash needs all values at once

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._count} values>"

    def iterate_encoded(self) -> Iterator[bytes]:
        """Yield each block as it was encoded."""
        return map(zlib.decompress, self._blocks)

    def _read_block(self, number: int) -> Sequence[Item]:
        with self._lock:
            if number in self._cache:
                self._cache.move_to_end(number)
                return self._cache[number]
        # Decoded outside of the lock, so that readers of other blocks do not wait.
        block = self._decode(zlib.decompress(self._blocks[number]))
        with self._lock:
            self._cache[number] = block
            if len(self._cache) > self._cached_blocks:
                self._cache.popitem(last=False)
        return block
