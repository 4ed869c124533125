"""The commands of a certificate, run to the letter where there is no Veil: a shell, coreutils, FFmpeg, OpenSSL."""

import os
import shutil
import subprocess

import pytest

import engine
from engine.audio.spans import AudioSpan
from engine.certificate.shell_commands import build_hash_command, build_output_commands, build_source_commands
from engine.media.output.file_fingerprint import AudioPacketHash, fingerprint_file
from engine.storage.files import hash_file
from tests import clips
from tests.engine.audio.audio_sources import make_clip, make_render_options
from tests.record_makers import record_of

pytestmark = pytest.mark.slow

TOOLS = ("ffmpeg", "ffprobe", "sha256sum")
EMPTY = "/usr/bin:/bin"


@pytest.fixture(autouse=True)
def tools():
    missing = [tool for tool in TOOLS if shutil.which(tool, path=EMPTY) is None]
    if missing:
        assert not os.environ.get("CI"), f"in CI nothing may be skipped, and {missing} are not installed"
        pytest.skip(f"the stock tools {', '.join(missing)} are not installed on this machine")


def run(command, folder):
    """The exit code of a command in an environment that holds nothing but where the stock tools are."""
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env={"PATH": EMPTY}, capture_output=True, check=False
    ).returncode


def released(source, folder, suffix):
    output = folder / f"out it's{suffix}"
    report = engine.render(source, record_of(source, lambda _: [(90, 60, 128, 96)]), output)
    facts = fingerprint_file(output, report.output_sha256)
    return output, list(build_output_commands(output.name, facts, report.spec.comment)), facts


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".ts"])
def test_every_command_passes_on_what_was_released(talk, tmp_path, suffix):
    source = tmp_path / f"source{suffix}"
    clips.ffmpeg("-i", talk, "-map", "0", "-c", "copy", source)
    _, commands, _ = released(source, tmp_path, suffix)
    assert len(commands) == 7
    for one in commands:
        assert run(one.command, tmp_path) == 0, one


def test_every_command_passes_on_an_avi_which_stores_no_presentation_times(talk, tmp_path):
    source = tmp_path / "source.avi"
    clips.ffmpeg("-i", talk, "-c:v", "mpeg4", "-bf", "2", "-c:a", "mp3", source)
    output, commands, facts = released(source, tmp_path, ".avi")
    assert facts.frames > 0
    assert [one.shows for one in commands if run(one.command, tmp_path) != 0] == []
    clips.ffmpeg("-i", output, "-map", "0", "-c", "copy", "-t", "0.5", tmp_path / "short.avi")
    (tmp_path / "short.avi").replace(output)
    assert any("each at its time" in one.shows for one in commands if run(one.command, tmp_path) != 0)


@pytest.mark.parametrize("make", [clips.ten_bit, clips.silent])
def test_every_command_passes_on_other_pictures(tmp_path, make):
    source = make(tmp_path / "clip.mp4")
    output, commands, _ = released(source, tmp_path, ".mp4")
    assert output.exists()
    for one in commands:
        assert run(one.command, tmp_path) == 0, one


@pytest.mark.parametrize(
    ("doctor", "fails"),
    [
        (["-c", "copy", "-metadata", "location=+52.5+013.4/"], "no tag"),
        (["-c", "copy", "-map_metadata", "-1", "-metadata:s:a:0", "handler_name=Jane's phone"], "no tag"),
        (["-map", "0", "-c", "copy", "-bsf:a:0", "noise=drop=eq(n\\,3)"], "audio stream 0"),
        (["-map", "0", "-c", "copy", "-bsf:v", "setts=pts=PTS+eq(N\\,7)*40"], "each at its time"),
        (["-map", "0:v", "-map", "0:a:0", "-c", "copy"], "these streams"),
        (["-map", "0", "-c", "copy", "-c:v", "libx264", "-vf", "drawbox=enable=eq(n\\,5):t=fill"], "decoded picture"),
    ],
    ids=["place", "device", "audio packet", "time", "stream", "picture"],
)
def test_a_doctored_output_fails(talk, tmp_path, doctor, fails):
    output, commands, _ = released(talk, tmp_path, ".mp4")
    doctored = tmp_path / "doctored.mp4"
    clips.ffmpeg("-i", output, "-map", "0", *doctor, doctored)
    doctored.replace(output)
    failed = [one.shows for one in commands if run(one.command, tmp_path) != 0]
    assert commands[0].shows in failed
    assert any(fails in shows for shows in failed)


def test_the_source_and_its_audio(talk, tmp_path):
    _, _, facts = released(talk, tmp_path, ".mkv")
    shutil.copy(talk, tmp_path / "source.mp4")
    audio = dict(zip([1, 2], facts.audio, strict=True))
    for one in build_source_commands("source.mp4", hash_file(talk), audio):
        assert run(one.command, tmp_path) == 0, one
    other = {1: AudioPacketHash("aac", "0" * 64)}
    assert run(list(build_source_commands("source.mp4", hash_file(talk), other))[1].command, tmp_path) != 0


def test_hashes_of_files_with_any_name(tmp_path):
    names = ["plain.json", "with space.json", "it's.json", "%s.json", "-dash.json"]
    for name in names:
        (tmp_path / name).write_text(name)
    command = build_hash_command("all", {name: hash_file(tmp_path / name) for name in names}).command
    assert run(command, tmp_path) == 0
    (tmp_path / "%s.json").write_text("other")
    assert run(command, tmp_path) != 0


@pytest.fixture(scope="module")
def muted(tmp_path_factory):
    """By codec, a source and its released output with silence and a tone in it, with the commands for both."""
    made = {}
    for codec, suffix in (("aac", ".mp4"), ("flac", ".mkv"), ("pcm_s24le", ".mov")):
        folder = tmp_path_factory.mktemp(codec)
        source = make_clip(folder / f"source{suffix}", codec, [(0.1, 1.3), (0.0, 1.4)])
        spans = (AudioSpan("mute", 0.5, 0.75, "a name", (1,)), AudioSpan("bleep", 1.1, 9.0, "a place", (1,)))
        output = folder / f"out{suffix}"
        report = engine.render(source, record_of(source, lambda _: []), output, make_render_options(*spans))
        facts = fingerprint_file(output, report.output_sha256)
        commands = list(build_output_commands(output.name, facts, report.spec.comment, report.audio))
        kept = {2: facts.audio[1]}
        of_source = build_source_commands(source.name, hash_file(source), kept, report.audio, output.name)
        made[codec] = output, commands, list(of_source)
    return made


@pytest.mark.parametrize("codec", ["aac", "flac", "pcm_s24le"])
def test_every_command_passes_on_audio_with_silence_and_a_tone_in_it(muted, codec):
    output, commands, of_source = muted[codec]
    assert len(commands) == 7 + 4
    assert len(of_source) == 2 + 2
    for one in (*commands, *of_source):
        assert run(one.command, output.parent) == 0, one


def test_kept_pieces_of_a_lossy_stream_that_are_not_the_sources_fail(muted, tmp_path):
    output, _, of_source = muted["aac"]
    shutil.copy(output.with_name("source.mp4"), tmp_path)
    changed = "aeval=val(ch)+0.0002*eq(n\\,100):c=same"
    clips.ffmpeg("-i", output, "-map", "0", "-c", "copy", "-c:a:0", "pcm_f32le", "-filter:a:0", changed,
                 "-f", "matroska", tmp_path / output.name)  # fmt: skip
    failed = [one.shows for one in of_source if run(one.command, tmp_path) != 0]
    assert len(failed) == 1
    assert "samples 0 to " in failed[0]


@pytest.mark.parametrize(
    ("place", "filters", "fails"),
    [
        (30000, "aeval=val(ch)+1/32768*eq(n\\,30000):c=same", "nothing but silence"),
        (50000, "aeval=val(ch)+1/32768*eq(n\\,50000):c=same", "the bleep and nothing else"),
        (100, "aeval=val(ch)+1/32768*eq(n\\,100):c=same", "the samples of the source"),
        (0, "apad=pad_len=1", "the bleep and nothing else"),
    ],
    ids=["in the silence", "in the tone", "outside", "one more"],
)
def test_one_sample_of_altered_audio_that_was_changed_fails(muted, tmp_path, place, filters, fails):
    output, commands, _ = muted["flac"]
    clips.ffmpeg("-i", output, "-map", "0", "-c", "copy", "-c:a:0", "flac", "-filter:a:0", filters,
                 tmp_path / output.name)  # fmt: skip
    failed = [one.shows for one in commands if " samples " in one.shows and run(one.command, tmp_path) != 0]
    assert len(failed) == 1
    assert fails in failed[0]
    first, last = map(int, failed[0].split("samples ")[1].split(" (")[0].split(" to "))
    assert place == 0 or first <= place <= last
