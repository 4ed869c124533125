from __future__ import annotations

from fractions import Fraction

import pytest

from engine.errors import SourceError
from engine.media.audio_streams import fingerprint_audio, list_contents
from tests.engine.media.source_makers import make_source, run_ffmpeg


def parse_hash(text: str) -> str:
    return text.strip().split("SHA256=")[1]


def test_fingerprints_are_the_hashes_of_ffmpegs_own_commands(tmp_path):
    path = make_source(tmp_path / "clip.mp4", "aac", [(0.0, 1.5), (0.25, 0.9)])

    for number, found in enumerate(fingerprint_audio(path)):
        stream = ["-i", path, "-map", f"0:a:{number}"]
        copied = run_ffmpeg(*stream, "-c", "copy", "-f", "streamhash", "-hash", "sha256", "-")
        decoded = run_ffmpeg(*stream, "-f", "hash", "-hash", "sha256", "-")
        assert (found.packets, found.decoded) == (parse_hash(copied), parse_hash(decoded))


def test_starts_are_relative_to_the_video(tmp_path):
    path = make_source(tmp_path / "clip.mov", "pcm_s16le", [(0.0, 1.5), (0.25, 0.9)])
    moved = tmp_path / "moved.mov"
    run_ffmpeg("-i", path, "-map", "0", "-c", "copy", "-output_ts_offset", "3", moved)

    assert [Fraction(one.start or 0) for one in fingerprint_audio(moved)] == [0, Fraction(1, 4)]


def test_softer_samples_are_other_samples(tmp_path):
    loud = make_source(tmp_path / "loud.mov", "pcm_s16le", [(0.0, 1.0)])
    soft = tmp_path / "soft.mov"
    run_ffmpeg("-i", loud, "-map", "0", "-c:v", "copy", "-c:a", "pcm_s16le", "-af", "volume=0.9", soft)

    assert fingerprint_audio(soft)[0].packets != fingerprint_audio(loud)[0].packets
    assert fingerprint_audio(soft)[0].decoded != fingerprint_audio(loud)[0].decoded


def test_a_start_can_be_taken_from_another_first_frame(tmp_path):
    path = make_source(tmp_path / "clip.mov", "pcm_s16le", [(0.25, 0.9)])

    assert fingerprint_audio(path, video_start=Fraction(1, 10))[0].start == "3/20"


def test_framing_that_only_a_container_asks_for_does_not_count(tmp_path):
    path = make_source(tmp_path / "clip.ts", "aac", [(0.3, 0.9)])
    run_ffmpeg("-i", path, "-c", "copy", tmp_path / "clip.mp4")

    assert fingerprint_audio(tmp_path / "clip.mp4")[0].packets == fingerprint_audio(path)[0].packets


def test_a_video_without_audio_has_no_fingerprints(tmp_path):
    assert fingerprint_audio(make_source(tmp_path / "clip.mp4", "aac", [])) == ()


def test_only_the_given_streams_are_fingerprinted(tmp_path):
    path = make_source(tmp_path / "clip.mp4", "aac", [(0.0, 1.0), (0.25, 0.9)])

    assert fingerprint_audio(path, [2]) == fingerprint_audio(path)[1:]


def test_contents_list_everything_that_identifies(tmp_path):
    plain = make_source(tmp_path / "plain.mp4", "mp3", [(0.0, 1.0)])
    words, chapters, cover = tmp_path / "words.srt", tmp_path / "chapters.txt", tmp_path / "cover.png"
    words.write_text("1\n00:00:00,000 --> 00:00:00,800\nMy name is Jane Doe\n")
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Ward 7\n")
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", "1", "-update", "1", cover)
    path = tmp_path / "telling.mp4"
    inputs = [part for name in (plain, words, chapters, cover) for part in ("-i", name)]
    maps = ["-map", "0", "-map", "1", "-map", "3", "-map_chapters", "2", "-disposition:v:1", "attached_pic"]
    run_ffmpeg(*inputs, *maps, "-c", "copy", "-c:s", "mov_text", "-metadata", "title=Jane Doe", path)

    found = list_contents(path)

    kinds = [(stream.kind, stream.codec, stream.picture) for stream in found.streams]
    assert ("audio", "mp3", False) in kinds
    assert ("subtitle", "mov_text", False) in kinds
    assert ("video", "png", True) in kinds
    assert found.chapters == 1
    assert {"Jane Doe", "Ward 7"} <= {tag.value for tag in found.identifying_tags}


@pytest.mark.parametrize("look", [fingerprint_audio, list_contents])
def test_a_file_that_is_no_video_gives_an_error(look, tmp_path):
    (tmp_path / "letter.mp4").write_text("Dear Sir or Madam")

    with pytest.raises(SourceError, match=r"letter\.mp4 cannot be read(?: whole)?: Invalid data"):
        look(tmp_path / "letter.mp4")
