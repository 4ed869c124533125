"""A release as one ZIP file, made while it is sent: no second copy of the video is written to disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

_PIECE_BYTES = 1 << 20
_OLDEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class _Outbox(io.RawIOBase):
    """Collects what is written until it is taken; it cannot be read or sought, like a connection."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # zipfile writes bytes and buffers
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def stream_release_archive(folder: Path, name: str) -> Iterator[bytes]:
    """Yield the bytes of a ZIP file with all files of a release.

    The files are stored without compression: a video does not get smaller, and a reader can check the hashes of the
    certificate after unpacking.

    Args:
        folder: The folder of the release.
        name: Name of the folder inside the archive.
    """
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
            # No time of this machine: the times that count are in the certificate.
            entry = zipfile.ZipInfo(f"{name}/{path.name}", _OLDEST_ZIP_TIME)
            with path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as target:
                while piece := file.read(_PIECE_BYTES):
                    target.write(piece)
                    yield outbox.take()
            yield outbox.take()
    yield outbox.take()
