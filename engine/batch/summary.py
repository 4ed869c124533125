"""The summary of a batch: a table for people, and JUnit XML for build servers."""

from __future__ import annotations

from io import BytesIO
from xml.etree import ElementTree as ET

from engine.batch.batch import BatchReport
from engine.batch.job import FileReport
from engine.core.wording import format_count

_STATUS_WIDTH = len("check failed")


def format_summary(report: BatchReport) -> str:
    """Format one line for each file, and the totals as the last line."""
    lines = [_format_file(file) for file in report.files]
    counts = ", ".join(f"{number:,} {status}" for status, number in report.count().items()) or "nothing to do"
    cost = sum(file.cost for file in report.files)
    spent = f"; USD {cost:,.3f} spent" if cost else ""
    return "\n".join([*lines, f"{format_count(len(report.files), 'file')}: {counts}{spent}. Outputs: {report.folder}"])


def build_junit_xml(report: BatchReport) -> bytes:
    """Build the summary as JUnit XML: a test case for each file. A file that is current counts as passed.

    The elements are those that Jenkins, GitLab and GitHub actions read (https://github.com/testmoapp/junitxml).
    """
    counts = report.count()
    totals = {
        "name": "veil batch",
        "tests": str(len(report.files)),
        "failures": str(counts.get("check failed", 0)),
        "errors": str(counts.get("failed", 0)),
        "time": f"{sum(file.seconds for file in report.files):.3f}",
    }
    suites = ET.Element("testsuites", totals)
    suite = ET.SubElement(suites, "testsuite", totals)
    for file in report.files:
        case = ET.SubElement(
            suite,
            "testcase",
            name=_remove_control_characters(file.source),
            classname="veil.batch",
            time=f"{file.seconds:.3f}",
        )
        if file.error is not None:
            kind = "error" if file.status == "failed" else "failure"
            ET.SubElement(case, kind, message=_remove_control_characters(file.error))
        if file.output is not None:
            ET.SubElement(case, "system-out").text = f"{file.status}: {_remove_control_characters(file.output)}"
    written = BytesIO()
    ET.ElementTree(suites).write(written, encoding="utf-8", xml_declaration=True)
    return written.getvalue() + b"\n"


def _format_file(file: FileReport) -> str:
    masked = "" if file.frames is None else f", {file.masked:,} of {format_count(file.frames, 'frame')} masked"
    text = f"{file.status:<{_STATUS_WIDTH}}  {file.seconds:>8.1f} s  {file.source}{masked}"
    return text if file.error is None else f"{text}\n{'':<{_STATUS_WIDTH}}  {file.error}"


def _remove_control_characters(text: str) -> str:
    # XML 1.0 cannot hold them even escaped, and a file name can.
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
