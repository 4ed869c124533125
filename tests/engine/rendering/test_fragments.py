"""Outputs in fragments, where one piece would change the audio; and the count of frames that are covered whole."""

import av
import msgspec
import pytest

import engine
from engine.anonymisation import AnonymiseReport
from engine.cli.reports import format_anonymise
from engine.rendering.report import report_path
from engine.verification.checked_render import render_and_verify
from tests import clips
from tests.record_makers import record_of, written


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_audio_whose_last_packet_is_short_stays_in_its_container(tmp_path, suffix):
    source = clips.video(
        tmp_path / f"a{suffix}", size=(64, 48), frames=12, audio=[clips.Audio()],
        options=["-t", "0.48", "-movflags", "frag_keyframe+empty_moov+delay_moov"],
    )  # fmt: skip
    record = written(record_of(source, lambda _: [(8, 8, 40, 40)]), tmp_path / "a.json")
    output = tmp_path / f"out{suffix}"
    report = engine.render(source, record, output)
    assert "in fragments" in report.sentence
    with av.open(str(output)) as container:
        assert "mp4" in container.format.name
    assert engine.verify(source, record, output).passed
    first = output.read_bytes()
    report_path(output).unlink()
    engine.render(source, record, output)
    assert output.read_bytes() == first


def test_summary_counts_the_frames_that_are_covered_whole(tmp_path):
    source = clips.video(tmp_path / "a.mkv", size=(64, 48), frames=6)
    record = msgspec.structs.replace(record_of(source, lambda _: [(8, 8, 40, 40)]), damaged=(3, 4))
    rendered, checks = render_and_verify(source, written(record, tmp_path / "a.json"), tmp_path / "out.mkv")
    summary = format_anonymise(AnonymiseReport("out.mkv", "a.json", "out.checks.json", 6, 1, (), rendered, checks))
    assert summary.startswith("1 track, 4 of 6 frames masked, 2 covered whole\n")
