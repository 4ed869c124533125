"""A frame that is reached by seeking is the frame that decoding in order gives, to the sample."""

import hashlib
import itertools
import random

import numpy as np
import pytest

from engine.errors import SourceError
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.media.source.seek import SeekingReader
from tests import clips
from tests.record_makers import record_of


def make_x264(path, **changes):
    params = ":".join(f"{name}={value}" for name, value in changes.items())
    return clips.video(path, frames=60, options=["-bf", "3", "-x264-params", f"keyint=20:min-keyint=20:{params}"])


def make_open_gop(path):
    return make_x264(path, **{"open-gop": 1, "scenecut": 0, "b-pyramid": "normal"})


def make_gradual_refresh(path):
    return make_x264(path, **{"intra-refresh": 1})


def make_hevc(path):
    options = ["-preset", "ultrafast", "-x265-params", "log-level=error:pools=1:keyint=15:min-keyint=15:open-gop=1"]
    return clips.video(path, frames=45, codec="libx265", options=options)


def make_mpeg2(path):
    return clips.video(path, frames=45, codec="mpeg2video", options=["-bf", "2", "-g", "12"])


def make_vp9(path):
    return clips.video(
        path, frames=40, codec="libvpx-vp9", options=["-g", "16", "-cpu-used", "8", "-auto-alt-ref", "1"]
    )


def make_motion_jpeg(path):
    return clips.video(path, frames=20, codec="mjpeg", pixel_format="yuvj420p")


MAKERS = {
    "b_frames.mp4": clips.b_frames,
    "b_frames.mkv": clips.b_frames,
    "b_frames.ts": clips.b_frames,
    "b_frames.avi": clips.b_frames,
    "b_frames.h264": clips.b_frames,
    "open.mp4": make_open_gop,
    "open.ts": make_open_gop,
    "gradual.mkv": make_gradual_refresh,
    "gradual.ts": make_gradual_refresh,
    "hevc.mp4": make_hevc,
    "mpeg2.mpg": make_mpeg2,
    "vp9.webm": make_vp9,
    "jpeg.avi": make_motion_jpeg,
    "decoding_stamps.mp4": clips.decoding_stamps,
    "decoding_stamps.mkv": clips.decoding_stamps,
    "vfr.mp4": clips.vfr,
    "turned.mp4": clips.turned,
    "anamorphic.mp4": clips.anamorphic,
    "ten_bit.mp4": clips.ten_bit,
    "late.mp4": clips.late_audio,
}


def hash_frame(frame):
    """What a frame is: its place, its time, its samples, and what is seen of it."""
    seen = hashlib.sha256(frame.rgb().tobytes())
    for plane in frame.picture().planes:
        seen.update(np.ascontiguousarray(plane).tobytes())
    return frame.index, frame.pts, seen.hexdigest()


def hash_frames_in_order(path):
    with open_source(path, probe(path)) as source:
        return [hash_frame(frame) for frame in source.frames()]


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_each_frame_is_the_one_that_decoding_in_order_gives(tmp_path, name):
    path = MAKERS[name](tmp_path / name)
    wanted = hash_frames_in_order(path)
    places = list(range(len(wanted)))
    random.Random(4).shuffle(places)
    with SeekingReader(path, record_of(path, lambda _: [])) as reader:
        for place in [len(wanted) - 1, 0, *places[:14]]:
            assert hash_frame(reader.read_frame(place)) == wanted[place]


def test_frames_continue_from_the_first_requested_one(tmp_path):
    path = clips.b_frames(tmp_path / "a.mp4")
    wanted = hash_frames_in_order(path)
    with SeekingReader(path, record_of(path, lambda _: [])) as reader:
        assert [hash_frame(frame) for frame in reader.read_frames(13)] == wanted[13:]


@pytest.mark.parametrize("name", ["b_frames.mp4", "open.mp4", "open.ts", "gradual.mkv", "b_frames.avi", "hevc.mp4"])
def test_frames_decoded_on_the_way_come_first_and_are_right(tmp_path, name):
    path = MAKERS[name](tmp_path / name)
    wanted = hash_frames_in_order(path)
    record = record_of(path, lambda _: [])
    for start in range(1, len(wanted), 3):
        with SeekingReader(path, record) as reader:
            found = [
                hash_frame(frame) for frame in itertools.islice(reader.read_frames(start, max_earlier_frames=7), 9)
            ]
        assert found == wanted[found[0][0] :][: len(found)]
        assert start - 7 <= found[0][0] <= start


def test_frames_with_moved_times_are_read_as_well(tmp_path):
    source = clips.video(tmp_path / "a.mkv", frames=6, codec="mjpeg", pixel_format="yuvj420p")
    path = tmp_path / "twice.mkv"
    clips.ffmpeg("-i", source, "-c", "copy", "-bsf:v", "setts=pts=if(eq(N\\,3)\\,PREV_INPTS\\,PTS):dts=N-9", path)
    wanted = hash_frames_in_order(path)
    with SeekingReader(path, record_of(path, lambda _: [])) as reader:
        assert [hash_frame(reader.read_frame(place)) for place in (5, 3, 2, 4)] == [
            wanted[place] for place in (5, 3, 2, 4)
        ]


@pytest.mark.parametrize("name", ["ten_bit.mp4", "b_frames.mp4", "odd.mkv"])
def test_what_is_drawn_on_a_frame_is_gone_afterwards(tmp_path, name):
    path = {"ten_bit.mp4": clips.ten_bit, "b_frames.mp4": clips.b_frames, "odd.mkv": clips.odd_size}[name](
        tmp_path / name
    )
    wanted = hash_frames_in_order(path)
    with SeekingReader(path, record_of(path, lambda _: [])) as reader:
        frames = reader.read_frames(4)
        frame = next(frames)
        with frame.open_for_drawing() as sheet:
            assert hash_frame(sheet) == wanted[4]
            sheet.picture(writable=True).planes[0][:] = 64
            assert hash_frame(sheet) != wanted[4]
        assert hash_frame(frame) == wanted[4]
        assert [hash_frame(later) for later in frames] == wanted[5:]


def test_another_file_in_its_place_is_refused(tmp_path):
    path = clips.b_frames(tmp_path / "a.mp4")
    record = record_of(path, lambda _: [])
    clips.b_frames(path, frames=12)
    with pytest.raises(SourceError, match="its size differs"):
        SeekingReader(path, record)


def test_a_deleted_file_gives_an_error(tmp_path):
    path = clips.b_frames(tmp_path / "a.mp4")
    record = record_of(path, lambda _: [])
    path.unlink()
    with pytest.raises(SourceError, match="Put the source back"):
        SeekingReader(path, record)


def test_a_frame_that_the_record_does_not_have(tmp_path):
    path = clips.b_frames(tmp_path / "a.mp4")
    with SeekingReader(path, record_of(path, lambda _: [])) as reader, pytest.raises(IndexError):
        reader.read_frame(30)
