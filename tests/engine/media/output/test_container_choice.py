from __future__ import annotations

import pytest

from engine.errors import TargetError
from engine.media.output.container_choice import ContainerChoice, choose_container
from engine.media.output.encoder import EncoderSettings

MP4, MKV = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"


@pytest.mark.parametrize(
    ("source", "wanted", "copied", "muxer"),
    [
        (MP4, ".mp4", ["aac", "opus"], "mp4"),
        (MP4, ".MOV", ["pcm_s24le"], "mov"),
        (MP4, ".mkv", ["aac", "flac", "vorbis"], "matroska"),
        (MKV, ".mkv", ["opus", "truehd"], "matroska"),
        (MKV, ".mp4", ["flac"], "mp4"),
        ("mpegts", ".m2ts", ["ac3"], "mpegts"),
        ("mpegts", ".mp4", ["aac"], "mp4"),
        (MP4, ".ts", [], "mpegts"),
        ("avi", ".avi", ["mp3"], "avi"),
        ("avi", ".mp4", ["mp3float"], "mp4"),
        ("mpegts", ".ts", ["s302m"], "mpegts"),
        ("mpegts", ".m2ts", ["pcm_bluray"], "mpegts"),
        (MP4, ".mov", ["pcm_f32be"], "mov"),
        (MP4, ".3gp", ["amr_nb"], "3gp"),
    ],
)
def test_a_container_that_holds_the_streams_is_taken(source, wanted, copied, muxer):
    assert choose_container(source, wanted, copied) == ContainerChoice(muxer, wanted.lower(), None)


@pytest.mark.parametrize(
    ("source", "wanted", "copied", "sentence"),
    [
        (MP4, ".mov", ["opus"], r"cannot hold OPUS of this source unchanged; choose \.mp4 or \.mkv"),
        (MKV, ".mp4", ["aac"], r"cannot hold AAC of this source unchanged; choose \.mkv"),
        ("flv", ".mkv", ["adpcm_swf"], r"Matroska cannot hold ADPCM SWF of this source unchanged; choose \.mov"),
        ("flv", ".flv", ["adpcm_swf"], r"nor can Matroska hold ADPCM SWF; choose \.mov"),
        (MP4, ".ts", ["aac"], r"MPEG-TS cannot hold AAC of this source unchanged"),
        (MP4, ".avi", ["mp3"], r"AVI keeps neither time stamps .* choose \.mkv"),
        (MP4, ".gif", [], r"An output cannot end in \.gif; choose one of \.mp4, \.mov, \.mkv"),
        (MP4, "", [], r"cannot end in nothing"),
    ],
)
def test_a_suffix_that_would_change_something_is_refused_with_an_offer(source, wanted, copied, sentence):
    with pytest.raises(TargetError, match=sentence):
        choose_container(source, wanted, copied, source_suffix=".flv" if source == "flv" else None)


@pytest.mark.parametrize(
    ("source", "copied", "choice"),
    [
        (MP4, ["aac"], ContainerChoice("mp4", ".mp4", None)),
        (MP4, ["pcm_alaw"], ContainerChoice("mov", ".mov", None)),
        ("flv", ["adpcm_swf"], ContainerChoice("mov", ".mov", None)),
        (MKV, ["opus"], ContainerChoice("matroska", ".mkv", None)),
        ("mpegts", ["mp2"], ContainerChoice("mpegts", ".ts", None)),
    ],
)
def test_without_a_wanted_suffix_the_sources_container_is_kept(source, copied, choice):
    assert choose_container(source, None, copied) == choice


def test_without_a_wanted_suffix_matroska_is_the_fallback_with_a_reason():
    flash = choose_container("flv", None, ["mp3"])
    old = choose_container("avi", None, ["pcm_s16le"], video_codec="hevc")

    assert (flash.muxer, flash.suffix) == (old.muxer, old.suffix) == ("matroska", ".mkv")
    assert flash.sentence == "The output is a Matroska file, because Veil writes no FLV files."
    assert old.sentence == "The output is a Matroska file, because AVI cannot hold HEVC of this source."


def test_avi_gets_no_b_frames():
    settings = EncoderSettings(crf=20)

    assert choose_container("avi", ".avi", []).adapt_settings(settings) == EncoderSettings(crf=20, b_frames=0)
    assert choose_container("avi", ".mkv", []).adapt_settings(settings) == settings


@pytest.mark.parametrize(
    ("source", "wanted", "copied", "reason"),
    [
        (MKV, ".webm", ["opus"], "WebM cannot hold H264 of this source"),
        ("flv", ".flv", ["mp3"], "Veil writes no FLV files"),
        ("avi", ".avi", ["opus"], "AVI cannot hold OPUS of this source"),
        (MP4, ".mp4", ["dts"], "MP4 cannot hold DTS of this source"),
    ],
)
def test_where_the_sources_own_container_cannot_hold_the_streams_it_is_matroska(source, wanted, copied, reason):
    choice = choose_container(source, wanted, copied, source_suffix=wanted)
    assert (choice.muxer, choice.suffix) == ("matroska", wanted)
    assert choice.sentence == (
        f"The output is a Matroska file, because {reason}. Players open it all the same; "
        f"{wanted} may be renamed to .mkv."
    )


def test_audio_that_no_container_takes_is_refused():
    with pytest.raises(TargetError, match=r"nor can Matroska hold NELLYMOSER; convert that audio first"):
        choose_container("flv", ".flv", ["nellymoser"], source_suffix=".flv")


@pytest.mark.parametrize(
    ("source", "codec"),
    [("mpeg", "pcm_dvd"), ("rm", "cook"), ("rm", "ra_144"), ("rm", "ralf"), ("roq", "roq_dpcm"), ("smk", "smackaudio"),
     ("mov,mp4,m4a,3gp,3g2,mj2", "mace6"), ("flv", "adpcm_psx"), ("nut", "pcm_u24le"), ("nut", "dsd_lsbf")],
)  # fmt: skip
def test_audio_for_which_no_container_has_a_name_is_refused(source, codec):
    with pytest.raises(TargetError, match=r"nor can Matroska hold .*; convert that audio first"):
        choose_container(source, None, [codec])


@pytest.mark.parametrize("codec", ["adpcm_ms", "dts", "wmav2", "qdm2", "speex", "gsm_ms", "mp3float", "truehd"])
def test_audio_that_matroska_can_name_goes_there(codec):
    assert choose_container("asf", None, [codec]).muxer == "matroska"
