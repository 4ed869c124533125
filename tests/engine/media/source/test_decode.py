"""Every frame comes out, in order, right way up; and a broken one is never passed over."""

import gc
import itertools
import resource
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from av.packet import Packet
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DamagedFrameError, SourceError
from engine.media.pixels import planar_format_from_name
from engine.media.source.damage import PendingFrames
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from tests import clips


class Notes:
    def __init__(self):
        self.notices = []

    def progress(self, stage, done, total):
        pass

    def notice(self, message):
        self.notices.append(message)


def decode_frames(path: Path, *, on_damage="stop", listener=None) -> list[tuple[int, int, bool]]:
    """Index, pts and damage of every frame."""
    listener = listener or Notes()
    with open_source(path, probe(path), on_damage=on_damage, listener=listener) as source:
        return [(frame.index, frame.pts, frame.damaged) for frame in source.frames()]


def decode_first_frame(path: Path):
    with open_source(path, probe(path)) as source:
        return next(source.frames())


def read_times_by_ffmpeg(path: Path) -> list[int]:
    """Presentation times as FFmpeg's own program decodes them."""
    command = [clips.FFMPEG, "-v", "error", "-copyts", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough"]
    done = subprocess.run(
        [*command, "-enc_time_base", "demux", "-f", "framecrc", "-"], capture_output=True, text=True, check=True
    )
    return [int(line.split(",")[2]) for line in done.stdout.splitlines() if not line.startswith("#")]


MAKERS = {
    "vfr.mp4": clips.vfr,
    "b_frames.mp4": clips.b_frames,
    "b_frames.mkv": clips.b_frames,
    "b_frames.ts": clips.b_frames,
    "ten_bit.mp4": clips.ten_bit,
    "interlaced.mp4": clips.interlaced,
    "odd.mkv": clips.odd_size,
    "hdr.mp4": clips.hdr,
    "late.mp4": clips.late_audio,
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_frame_with_its_own_time(tmp_path, name):
    path = MAKERS[name](tmp_path / name)
    frames = decode_frames(path)
    assert [index for index, _, _ in frames] == list(range(len(frames)))
    assert [pts for _, pts, _ in frames] == read_times_by_ffmpeg(path)
    assert not any(damaged for _, _, damaged in frames)


def test_times_out_of_order_in_avi_are_put_right(tmp_path):
    frames = decode_frames(clips.b_frames(tmp_path / "a.avi"))
    assert [pts for _, pts, _ in frames] == list(range(30))


def test_a_stream_without_times_counts(tmp_path):
    path = clips.b_frames(tmp_path / "a.h264")
    frames = decode_frames(path)
    distances = {after[1] - before[1] for before, after in itertools.pairwise(frames)}
    assert len(frames) == 30
    assert distances == {probe(path).video.step}


def test_equal_times_move_by_one_tick(tmp_path):
    source = clips.video(tmp_path / "a.mkv", frames=6, codec="mjpeg", pixel_format="yuvj420p")
    path = tmp_path / "twice.mkv"
    clips.ffmpeg("-i", source, "-c", "copy", "-bsf:v", "setts=pts=if(eq(N\\,3)\\,PREV_INPTS\\,PTS):dts=N-9", path)
    notes = Notes()
    times = [pts for _, pts, _ in decode_frames(path, listener=notes)]
    assert len(times) == 6
    assert times[3] == times[2] + 1
    assert "moved by as little as possible" in notes.notices[0]


def test_frames_before_the_first_keyframe_are_reported(tmp_path):
    whole = clips.video(tmp_path / "a.ts", frames=30, options=["-bf", "0", "-g", "10", "-sc_threshold", "0"])
    path = tmp_path / "b.ts"
    clips.ffmpeg("-i", whole, "-c", "copy", "-bsf:v", "noise=drop='lt(n,4)'", "-copyts", path)
    notes = Notes()
    assert len(decode_frames(path, listener=notes)) == 20
    assert "6 frames before its first keyframe" in notes.notices[0]


def test_rgb_has_the_requested_size(tmp_path):
    frame = decode_first_frame(clips.turned(tmp_path / "a.mp4", degrees=90, size=(160, 96)))
    assert frame.rgb().shape == (160, 96, 3)
    assert frame.rgb(80).shape == (80, 48, 3)
    assert frame.rgb(1000).shape == (160, 96, 3)


def test_rgb_stretches_to_square_pixels(tmp_path):
    assert decode_first_frame(clips.anamorphic(tmp_path / "a.mp4", sar="4/3")).rgb().shape == (96, 171, 3)


@pytest.mark.parametrize(("matrix", "tag"), [("bt709", "bt709"), ("bt601", "smpte170m")])
@pytest.mark.parametrize("span", ["tv", "pc"])
@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv444p10le"])
def test_rgb_follows_the_colour_tags(tmp_path, matrix, tag, span, pixel_format):
    path = tmp_path / "a.mkv"
    tags = f"setparams=colorspace={tag}:range={span}"
    chain = f"scale=out_color_matrix={matrix}:out_range={span},format={pixel_format},{tags}"
    clips.ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "color=c=0xE03020:s=64x64",
        "-frames:v",
        "2",
        "-vf",
        chain,
        "-c:v",
        "libx264",
        "-qp",
        "0",
        path,
    )
    assert np.abs(decode_first_frame(path).rgb()[8, 8].astype(int) - (0xE0, 0x30, 0x20)).max() <= 3


@pytest.mark.parametrize(
    ("pixel_format", "planar", "depth"),
    [
        ("yuv420p", "yuv420p", 8),
        ("yuvj420p", "yuv420p", 8),
        ("nv12", "yuv420p", 8),
        ("uyvy422", "yuv422p", 8),
        ("yuv411p", "yuv444p", 8),
        ("yuv410p", "yuv444p", 8),
        ("yuv440p", "yuv444p", 8),
        ("yuva420p", "yuv420p", 8),
        ("p010le", "yuv420p10le", 10),
        ("yuv422p12le", "yuv422p12le", 12),
        ("yuv420p9le", "yuv420p10le", 10),
        ("gray", "gray", 8),
        ("ya8", "gray", 8),
        ("gray10le", "gray10le", 10),
        ("rgb24", "gbrp", 8),
        ("bgra", "gbrp", 8),
        ("pal8", "gbrp", 8),
        ("gbrap10le", "gbrp10le", 10),
        ("rgb48le", "gbrp16le", 16),
    ],
)
def test_planar_layouts(pixel_format, planar, depth):
    layout = planar_format_from_name(pixel_format, full=False)
    assert (layout.name, layout.bit_depth) == (planar, depth)
    assert layout.planes == ("gbr" if planar.startswith("gbr") else "y" if planar.startswith("gray") else "yuv")


@pytest.mark.parametrize("pixel_format", ["nv12", "yuv411p", "uyvy422", "rgb24", "p010le"])
def test_conversion_to_planes_loses_nothing(tmp_path, pixel_format):
    path = tmp_path / "a.nut"
    clips.video(path, frames=2, codec="rawvideo", pixel_format=pixel_format)
    picture = decode_first_frame(path).picture()
    command = [clips.FFMPEG, "-v", "error", "-i", str(path), "-frames:v", "1", "-f", "rawvideo"]
    data = subprocess.run([*command, "-pix_fmt", picture.format.name, "-"], capture_output=True, check=True).stdout
    ours = b"".join(np.ascontiguousarray(plane).tobytes() for plane in picture.planes)
    # 4:1:1 is widened by a filter of whoever converts; brightness is kept as it is.
    kept = picture.planes[0].nbytes if pixel_format == "yuv411p" else len(data)
    assert len(ours) == len(data)
    assert ours[:kept] == data[:kept]


def test_full_range_stays_full_range(tmp_path):
    path = clips.video(tmp_path / "a.mkv", codec="mjpeg", pixel_format="yuvj420p", frames=2)
    picture = decode_first_frame(path).picture()
    with av.open(str(path)) as container:
        decoded = next(container.decode(video=0))
        luma = np.frombuffer(decoded.planes[0], np.uint8).reshape(decoded.height, -1)[:, : decoded.width]
        assert picture.format.full_range
        np.testing.assert_array_equal(picture.planes[0], luma)


def test_reading_planes_cannot_change_them(tmp_path):
    picture = decode_first_frame(clips.silent(tmp_path / "a.mp4")).picture()
    with pytest.raises(ValueError, match="read-only"):
        picture.planes[0][0, 0] = 0


def test_drawing_does_not_run_into_later_frames(tmp_path):
    path = clips.b_frames(tmp_path / "a.mp4", frames=40)
    info = probe(path)
    with open_source(path, info) as source:
        clean = [frame.picture().planes[0].copy() for frame in source.frames()]
    with open_source(path, info) as source:
        for frame in source.frames():
            picture = frame.picture(writable=True)
            np.testing.assert_array_equal(picture.planes[0], clean[frame.index])
            for plane in picture.planes:
                plane[:] = 16
            assert (frame.picture().planes[0] == 16).all()


def test_thumbnail_repeats(tmp_path):
    path = clips.video(tmp_path / "a.mp4", frames=5)
    one, two = decode_first_frame(path).luma_thumbnail(), decode_first_frame(path).luma_thumbnail()
    assert one.shape == (36, 64)
    np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_a_kept_frame_outlives_the_file(tmp_path):
    path = clips.video(tmp_path / "a.mp4", frames=30)
    info = probe(path)
    with open_source(path, info) as source:
        frames = source.frames()
        kept = next(frames)
        before = kept.picture().planes[0].copy()
        for _ in frames:
            pass
    gc.collect()
    np.testing.assert_array_equal(kept.picture().planes[0], before)


CODECS = {
    "h264.mp4": ("libx264", "yuv420p", ["-bf", "2", "-g", "12", "-movflags", "+faststart"]),
    "h264.mkv": ("libx264", "yuv420p", ["-bf", "2", "-g", "12"]),
    "h264.ts": ("libx264", "yuv420p", ["-bf", "2", "-g", "12"]),
    "h264.avi": ("libx264", "yuv420p", ["-bf", "0", "-g", "12"]),
    "mpeg4.avi": ("mpeg4", "yuv420p", ["-g", "12"]),
    "mpeg2.mpg": ("mpeg2video", "yuv420p", ["-g", "12", "-bf", "2"]),
    "mjpeg.mov": ("mjpeg", "yuvj420p", ["-movflags", "+faststart"]),
    "ffv1.mkv": ("ffv1", "yuv420p", ["-level", "3", "-slicecrc", "1"]),
    "prores.mov": ("prores", "yuv422p10le", []),
    "av1.mp4": ("libsvtav1", "yuv420p", ["-g", "12", "-preset", "12"]),
}


def make_clip(tmp_path: Path, name: str) -> Path:
    codec, pixel_format, options = CODECS[name]
    return clips.video(
        tmp_path / name, size=(320, 240), frames=50, codec=codec, pixel_format=pixel_format, options=options
    )


@pytest.mark.parametrize("name", CODECS)
def test_overwritten_bytes_stop_and_are_named(tmp_path, name):
    whole = make_clip(tmp_path, name)
    path = clips.overwritten(tmp_path / f"hit-{name}", whole, [(whole.stat().st_size // 2 + 500, bytes(200))])
    with pytest.raises(DamagedFrameError) as caught:
        decode_frames(path)
    assert f"Frame {caught.value.index} of {path}" in str(caught.value)
    covered = decode_frames(path, on_damage="cover")
    clean = decode_frames(whole)
    assert [pts for _, pts, _ in covered] == [pts for _, pts, _ in clean]
    assert covered[caught.value.index][2]
    assert not covered[0][2]


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "h264.ts", "h264.avi", "mpeg4.avi", "mjpeg.mov", "ffv1.mkv"])
def test_a_file_cut_in_half_never_just_looks_shorter(tmp_path, name):
    path = clips.truncated(tmp_path / f"cut-{name}", make_clip(tmp_path, name), share=0.6)
    with pytest.raises(DamagedFrameError) as caught:
        decode_frames(path)
    covered = decode_frames(path, on_damage="cover")
    assert covered[-1][2]
    assert covered[caught.value.index][2]
    assert not covered[0][2]


def test_a_covered_frame_without_picture_is_grey(tmp_path):
    path = clips.overwritten(
        tmp_path / "hit.mov",
        make_clip(tmp_path, "mjpeg.mov"),
        [((tmp_path / "mjpeg.mov").stat().st_size // 2, bytes(500))],
    )
    with open_source(path, probe(path), on_damage="cover") as source:
        damaged = [frame for frame in source.frames() if frame.damaged]
        assert damaged
        assert all((plane == 128).all() for frame in damaged for plane in frame.picture(writable=True).planes)
        assert damaged[0].rgb(64).shape == (48, 64, 3)


def test_damage_lasts_until_the_next_keyframe(tmp_path):
    whole = make_clip(tmp_path, "h264.mkv")
    path = clips.overwritten(tmp_path / "hit.mkv", whole, [(whole.stat().st_size // 2 + 500, bytes(200))])
    damaged = [index for index, _, damaged in decode_frames(path, on_damage="cover") if damaged]
    assert damaged == list(range(damaged[0], damaged[-1] + 1))
    assert (damaged[-1] + 1) % 12 == 0


def test_two_runs_agree_on_damage(tmp_path):
    whole = make_clip(tmp_path, "h264.ts")
    path = clips.overwritten(tmp_path / "hit.ts", whole, [(whole.stat().st_size // 3, bytes(400))])
    assert decode_frames(path, on_damage="cover") == decode_frames(path, on_damage="cover")


def join_recordings(tmp_path: Path, kind: str) -> Path:
    """Two streams of different picture size, one after the other."""
    small = clips.video(tmp_path / f"a.{kind}", size=(64, 48), frames=50)
    large = clips.video(tmp_path / f"b.{kind}", size=(128, 96), frames=50)
    path = tmp_path / f"both.{kind}"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    return path


def test_size_change_stops(tmp_path):
    with pytest.raises(SourceError, match="changes its picture size at frame 50 from 64x48 to 128x96"):
        decode_frames(join_recordings(tmp_path, "h264"))


def test_a_clock_that_starts_again_is_refused(tmp_path):
    with pytest.raises(SourceError, match="starts its clock again in the middle"):
        decode_frames(join_recordings(tmp_path, "ts"))


def test_time_running_backwards_stops(tmp_path):
    path = tmp_path / "twice.nut"
    source = clips.video(tmp_path / "a.mkv", frames=6, codec="mjpeg", pixel_format="yuvj420p")
    clips.ffmpeg("-i", source, "-c", "copy", "-bsf:v", "setts=pts=PTS-if(gt(N\\,3)\\,100\\,0):dts=N", path)
    with pytest.raises(SourceError, match="runs backwards in time at frame 4"):
        decode_frames(path)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_times_of_decoding_are_given_to_the_frames_in_order(tmp_path, suffix):
    ordered = decode_frames(clips.b_frames(tmp_path / f"a.{suffix}"))
    step = ordered[1][1] - ordered[0][1]
    found = decode_frames(clips.decoding_stamps(tmp_path / f"b.{suffix}"))
    assert [pts for _, pts, _ in found] == [step * place for place in range(len(ordered))]
    assert not any(damaged for _, _, damaged in found)


@pytest.mark.parametrize("suffix", ["ts", "m2ts"])
def test_recordings_that_were_joined_are_not_damaged(tmp_path, suffix):
    frames = decode_frames(clips.joined(tmp_path / f"a.{suffix}"))
    assert len(frames) == 24


def test_packets_lost_in_a_transport_stream_are_damage(tmp_path):
    data = clips.joined(tmp_path / "a.ts").read_bytes()
    parts = [data[place : place + 188] for place in range(0, len(data), 188)]
    # A part in the middle of a picture: neither its beginning nor its end.
    place = next(place for place, part in enumerate(parts[60:], 60) if not part[1] & 0x40 and not part[3] & 0x20)
    (tmp_path / "lost.ts").write_bytes(b"".join(parts[:place] + parts[place + 1 :]))
    with pytest.raises(DamagedFrameError, match="--on-damage cover"):
        decode_frames(tmp_path / "lost.ts")


def test_a_frame_that_the_recorder_left_out_does_not_end_the_video(tmp_path):
    whole = clips.video(tmp_path / "a.nut", frames=12, codec="mjpeg", pixel_format="yuvj420p")
    path = tmp_path / "b.nut"
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            left_out = Packet(b"" if number == 5 else bytes(packet))
            left_out.pts, left_out.dts, left_out.time_base = packet.pts, packet.dts, packet.time_base
            left_out.is_keyframe, left_out.stream = True, stream
            target.mux(left_out)
    assert [index for index, _, _ in decode_frames(path)] == list(range(11))


@pytest.mark.parametrize("change", ["append", "replace", "delete"])
def test_source_changed_meanwhile(tmp_path, change):
    path = clips.video(tmp_path / "a.mp4", frames=25)
    info = probe(path)
    with open_source(path, info) as source:
        frames = source.frames()
        next(frames)
        if change == "append":
            with path.open("ab") as file:
                file.write(b"more")
        elif change == "replace":
            copy = path.with_name("copy.mp4")
            copy.write_bytes(path.read_bytes())
            copy.replace(path)
        else:
            path.unlink()
        with pytest.raises(SourceError, match="while it was read"):
            list(frames)


def test_another_file_than_the_probed_one(tmp_path):
    info = probe(clips.video(tmp_path / "a.mp4", frames=5))
    other = clips.video(tmp_path / "b.mp4", frames=9)
    with pytest.raises(SourceError, match="not the file that was probed"), open_source(other, info):
        pass


@pytest.mark.slow
def test_memory_is_flat(tmp_path):
    path = clips.video(tmp_path / "a.mkv", size=(640, 360), frames=700, codec="mpeg4", options=["-g", "50"])
    marks = {}
    with open_source(path, probe(path)) as source:
        for frame in source.frames():
            frame.rgb(320)
            frame.picture(writable=True)
            if frame.index in {150, 699}:
                marks[frame.index] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one_frame = 640 * 360 * 3 // 2 // 1024
    assert marks[699] - marks[150] < 40 * one_frame


@pytest.mark.slow
def test_stopping_early_in_a_broken_file_neither_hangs_nor_speaks(tmp_path):
    whole = make_clip(tmp_path, "h264.mkv")
    size = whole.stat().st_size
    path = clips.overwritten(tmp_path / "a.mkv", whole, [(size * n // 20, bytes(40)) for n in range(5, 19)])
    script = f"""
from engine.errors import DamagedFrameError
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
info = probe({str(path)!r})
for _ in range(5):
    try:
        with open_source({str(path)!r}, info) as source:
            for frame in source.frames():
                pass
    except DamagedFrameError:
        print("stopped")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("stopped\n" * 5, "")


@given(st.lists(st.integers(0, 40), unique=True, min_size=1), st.data())
def test_ledger_accounts_for_every_packet(times, data):
    """Whatever subset comes back, in presentation order: each time is delivered or lost, once, and losses rise."""
    kept = sorted(data.draw(st.sets(st.sampled_from(times))))
    ledger = PendingFrames()
    for pts in times:
        ledger.add_packet(pts)
    lost = [pts for back in kept for pts in ledger.match_frame(back)] + ledger.take_remaining()
    assert sorted(lost + kept) == sorted(times)
    assert lost == sorted(lost)
