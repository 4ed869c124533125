"""Outputs that an earlier render has finished already."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from engine.errors import InputError, TargetError
from engine.media.output.versions import read_library_versions
from engine.record import read_document
from engine.rendering.job import InputHashes
from engine.rendering.report import RenderReport, report_path
from engine.rendering.spec import RenderSpec
from engine.storage.files import hash_file
from engine.version import VERSION


def read_finished_render(output: Path, spec: RenderSpec, hashes: InputHashes) -> RenderReport | None:
    """Return the report of an output that an earlier render made of the same inputs; None if there is no output.

    Raises:
        TargetError: another file has that name.
    """
    if not os.path.lexists(output):
        return None
    try:
        report = read_document(report_path(output), RenderReport, "report of a render")
        if _is_report_of(report, spec, hashes) and hash_file(output) == report.output_sha256:
            return report
    except InputError:
        pass  # Whatever is there is not an output with its report; the sentence below is all that matters of it.
    raise TargetError(
        f"{output} exists already, and is not the output of this render. Give another name, or replace it with "
        "--overwrite."
    )


def _is_report_of(report: RenderReport, spec: RenderSpec, hashes: InputHashes) -> bool:
    # A render that finds its container to change the audio falls back to another one, so containers are not compared.
    same_spec = msgspec.structs.replace(spec, container=report.spec.container) == report.spec
    inputs = InputHashes(report.source_sha256, report.record_sha256, report.review_sha256)
    return (
        same_spec
        and inputs == hashes
        and (report.veil, report.encoder.libraries)
        == (
            VERSION,
            read_library_versions(),
        )
    )
