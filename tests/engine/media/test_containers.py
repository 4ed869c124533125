from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli import bench
from engine.core.file_types import STILL_SUFFIXES
from engine.jobs import library
from engine.media.containers import (
    CONTAINER_FORMATS,
    VIDEO_SUFFIXES,
    ContainerFormat,
    container_family,
    describe_family,
    format_from_suffix,
)

DOCS = Path(__file__).parents[3] / "docs" / "guides" / "containers.md"
BROWSER_PLAYBACK = {"always": "yes", "webm_codecs": "with VP8, VP9 or AV1", "never": "no"}


def make_docs_row(entry: ContainerFormat) -> str:
    cells = (
        entry.name,
        " ".join(entry.suffixes),
        "yes" if entry.muxer else "no",
        "yes" if entry.family.stores_pts else "no",
        "yes" if entry.family.find_end else "no",
        BROWSER_PLAYBACK[entry.family.browser_playback],
    )
    return f"| {' | '.join(cells)} |"


def test_the_docs_show_the_table_of_containers():
    rows = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| ") and "`" not in line]

    assert rows[1:] == [make_docs_row(entry) for entry in CONTAINER_FORMATS]


def test_each_suffix_belongs_to_one_format():
    suffixes = [suffix for entry in CONTAINER_FORMATS for suffix in entry.suffixes]

    assert len(suffixes) == len(set(suffixes)) == len(VIDEO_SUFFIXES)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)
    assert not VIDEO_SUFFIXES & STILL_SUFFIXES


def test_the_library_and_the_benchmark_find_the_same_videos():
    assert library.VIDEO_SUFFIXES is bench.VIDEO_SUFFIXES is VIDEO_SUFFIXES


@pytest.mark.parametrize(
    ("ffmpeg_name", "family", "name"),
    [
        ("mov,mp4,m4a,3gp,3g2,mj2", "mp4", "MP4"),
        ("mov", "mp4", "MP4"),
        ("matroska,webm", "matroska", "Matroska"),
        ("webm", "matroska", "Matroska"),
        ("mpegts", "mpegts", "MPEG-TS"),
        ("avi", "avi", "AVI"),
        ("flv", "flv", "Flash Video"),
        ("roq", "roq", "ROQ"),
    ],
)
def test_a_family_is_recognised_by_the_names_of_its_demuxer_and_muxers(ffmpeg_name, family, name):
    assert container_family(ffmpeg_name).name == family
    assert describe_family(container_family(ffmpeg_name)) == name


def test_nothing_is_assumed_about_an_unknown_container():
    unknown = container_family("roq")

    assert (unknown.find_end, unknown.browser_playback, unknown.starts_near_zero) == (None, "never", False)
    assert unknown.timestamp_kind == "pts"
    assert format_from_suffix(".roq").muxer is None


@pytest.mark.parametrize(("suffix", "name"), [(".MKV", "Matroska"), (".qt", "QuickTime"), (".avi", "AVI")])
def test_a_suffix_names_its_format_in_any_case(suffix, name):
    assert format_from_suffix(suffix).name == name
