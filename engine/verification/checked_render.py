"""Render a draft and check it in one call."""

from __future__ import annotations

from pathlib import Path

from engine.core.progress import ProgressListener
from engine.record import encode_document
from engine.rendering.render import render
from engine.rendering.report import RenderReport
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import CHECKS_SUFFIX, append_suffix
from engine.storage.files import write_file
from engine.verification.report import VerifyReport
from engine.verification.verify import verify


def render_and_verify(  # noqa: PLR0913 - the files, the options, and the listener
    source: Path | str,
    record: Path,
    output: Path,
    rendering: RenderOptions | None = None,
    *,
    review: Path | str | None = None,
    listener: ProgressListener | None = None,
    overwrite: bool = True,
) -> tuple[RenderReport, VerifyReport]:
    """Render a draft from a record, check it, and write the report of the checks beside it.

    Raises:
        VeilError: as `render` and `verify` do. A failed check is not an error; the report states it.
    """
    rendered = render(source, record, output, rendering, review=review, listener=listener, overwrite=overwrite)
    checks = verify(source, record, output, review=review, listener=listener)
    write_file(append_suffix(output, CHECKS_SUFFIX), encode_document(checks))
    return rendered, checks
