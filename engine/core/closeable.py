"""Base of resources that are used as context managers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


# `contextlib.closing` would do the same at each place of use; a base class leaves `with Resource() as resource`.
class Closeable(ABC):
    """A resource that `with` closes at the end of the block, whether an error ended it or not."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Release what the resource holds; it must not be used afterwards."""
