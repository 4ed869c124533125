"""Files by URL, through fsspec: listing, resumable fetching, and uploading. Nothing here runs unless a URL is named.

Amazon S3 and Google Cloud Storage are reached through PyArrow, which brings clients for both; credentials, region and
`AWS_ENDPOINT_URL` are found as those clients do. Other protocols are those of fsspec, some of which need a package.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from engine.core.progress import ProgressListener
from engine.errors import SourceError, TargetError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_URL = re.compile(r"[a-z][a-z0-9+.-]+://\S", re.IGNORECASE)
_ARROW_PROTOCOLS = ("s3://", "gs://")
_VERSION_FIELDS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "created")
"""Names by which file systems say that a file was changed."""
_BLOCK_BYTES = 1 << 23
_MAX_FAILURES = 5
"""Failures in a row, without a byte between them, after which a fetch ends."""
_FIRST_PAUSE_S = 0.5
"""Pause after the first failure; it doubles with each one."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file by URL.

    Attributes:
        url: its address.
        size: bytes; None if the server does not say.
        version: what the server says about its state, such as an ETag; empty if nothing.
    """

    url: str
    size: int | None
    version: str

    @property
    def key(self) -> str:
        """The address and the state of the file; another key stands for other bytes."""
        return f"{self.url} {self.size} {self.version}"

    @property
    def name(self) -> str:
        """The last part of the address, without a query."""
        return self.url.partition("?")[0].rstrip("/").rpartition("/")[2]


def is_url(text: str) -> bool:
    """Return whether a text is an address such as `s3://bucket/talk.mp4`, and not a path."""
    return _URL.match(text) is not None


def list_remote_files(url: str) -> list[str]:
    """List the addresses of the files in a remote folder and its subfolders, sorted; of a file, its own.

    Raises:
        SourceError: there is no such file or folder, or it cannot be reached.
    """
    with _raise_source_errors(url):
        system, path = _open_file_system(url)
        if not system.isdir(path):
            return [url]
        base = url.rstrip("/")
        return [f"{base}/{name[len(path) :].lstrip('/')}" for name in sorted(system.find(path))]


def describe_remote_file(url: str) -> RemoteFile:
    """Ask the server about a file.

    Raises:
        SourceError: there is no such file, or it cannot be reached.
    """
    with _raise_source_errors(url):
        system, path = _open_file_system(url)
        facts = system.info(path)
    version = next((str(facts[name]) for name in _VERSION_FIELDS if facts.get(name)), "")
    return RemoteFile(url, facts.get("size"), version)


def fetch_file(remote: RemoteFile, folder: Path, listener: ProgressListener) -> Path:
    """Copy a remote file into a folder, and return the path of the copy.

    A connection that is cut is opened again, and the copy goes on where it stopped; so does the next call after an
    interruption, unless the file has changed.

    Raises:
        SourceError: the file cannot be fetched.
        TargetError: the folder cannot be written.
    """
    place = folder / hashlib.sha256(remote.key.encode()).hexdigest()[:32]
    copy, unfinished = place / remote.name, place / "unfinished"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not copy.is_file():
            with unfinished.open("ab") as target:
                _fetch_blocks(remote, target, listener)
            unfinished.replace(copy)
    except OSError as error:
        raise TargetError(f"{place} cannot be written: {error.strerror or error}.") from error
    return copy


def remove_copy(copy: Path) -> None:
    """Remove a copy that `fetch_file` made."""
    copy.unlink(missing_ok=True)
    copy.parent.rmdir()


def upload_file(path: Path, url: str) -> None:
    """Copy a file to an address. It appears there complete or not at all.

    Raises:
        TargetError: the address cannot be written.
    """
    try:
        system, target = _open_file_system(url)
        if url.startswith(_ARROW_PROTOCOLS):
            # An object appears when its upload is complete.
            system.put_file(str(path), target)
            return
        system.makedirs(target.rpartition("/")[0], exist_ok=True)
        system.put_file(str(path), f"{target}.part")
        system.mv(f"{target}.part", target)
    # Every protocol of fsspec has errors of its own.
    except Exception as error:
        raise TargetError(f"{url} cannot be written ({_describe(error)}): check address and credentials.") from error


def _fetch_blocks(remote: RemoteFile, target: Any, listener: ProgressListener) -> None:
    failures = 0
    while remote.size is None or target.tell() < remote.size:
        before = target.tell()
        try:
            _fetch_from(remote, target, listener)
            if remote.size is None:
                return
            if target.tell() == before:
                raise EOFError("the server sends no more")  # noqa: TRY301 - counts as a failure, as a cut does
        # A cut connection is another error in each protocol.
        except Exception as error:
            failures = 1 if target.tell() > before else failures + 1
            if failures >= _MAX_FAILURES or remote.size is None:
                raise SourceError(f"{remote.url} cannot be fetched ({_describe(error)}): try again later.") from error
            sleep(_FIRST_PAUSE_S * 2 ** (failures - 1))
    if remote.size is not None and target.tell() > remote.size:
        target.truncate(0)
        raise SourceError(f"{remote.url} changed while it was fetched: run the command again.")


def _fetch_from(remote: RemoteFile, target: Any, listener: ProgressListener) -> None:
    system, path = _open_file_system(remote.url)
    # Without reading ahead, a cut costs at most the block that is under way.
    options = {} if remote.url.startswith(_ARROW_PROTOCOLS) else {"cache_type": "none"}
    with system.open(path, "rb", **options) as source:
        if target.tell():
            source.seek(target.tell())
        while block := source.read(_BLOCK_BYTES):
            target.write(block)
            target.flush()
            listener.progress("fetch", target.tell(), remote.size)


def _open_file_system(url: str) -> tuple[AbstractFileSystem, str]:
    # fsspec and PyArrow's clients are loaded only when an address is named.
    if url.startswith(_ARROW_PROTOCOLS):
        from fsspec.implementations.arrow import ArrowFSWrapper  # noqa: PLC0415
        from pyarrow.fs import FileSystem  # noqa: PLC0415

        system, path = FileSystem.from_uri(url)
        return ArrowFSWrapper(system), path
    import fsspec  # noqa: PLC0415

    opened: tuple[AbstractFileSystem, str] = fsspec.url_to_fs(url, use_listings_cache=False)
    return opened


@contextmanager
def _raise_source_errors(url: str) -> Iterator[None]:
    try:
        yield
    # Every protocol of fsspec has errors of its own.
    except Exception as error:
        raise SourceError(f"{url} cannot be read ({_describe(error)}): check address and credentials.") from error


def _describe(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
