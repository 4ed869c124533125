"""Keyframes from which a video decodes as from its beginning."""

import pytest

from engine.errors import SourceError
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.media.source.start_points import StartPoint, find_start_points
from tests import clips

H264 = ["-g", "10", "-bf", "3", "-sc_threshold", "0"]
CODECS = {
    "mp4": ("a.mp4", "libx264", H264),
    "open groups of pictures": ("a.mp4", "libx264", [*H264, "-x264-params", "open-gop=1"]),
    "mkv": ("a.mkv", "libx265", ["-x265-params", "log-level=none:keyint=10:min-keyint=10:scenecut=0:bframes=3"]),
    "ts": ("a.ts", "mpeg2video", ["-g", "10", "-bf", "2"]),
    "webm": ("a.webm", "libvpx", ["-g", "10"]),
    "every frame": ("a.mov", "mjpeg", []),
}


def read_frames(path, info, start=None):
    with open_source(path, info, start=start) as source:
        return [(frame.index, frame.pts, frame.sha256()) for frame in source.frames()]


@pytest.mark.parametrize("kind", CODECS)
def test_decoding_from_a_start_point_gives_the_same_frames(tmp_path, kind):
    name, codec, options = CODECS[kind]
    path = clips.video(tmp_path / name, size=(64, 48), frames=45, codec=codec, options=options)
    info = probe(path)
    whole = read_frames(path, info)
    points = list(find_start_points(path, info))
    assert len(points) >= 3
    for point in points[:: max(1, len(points) // 3)]:
        assert read_frames(path, info, point) == whole[point.index :]


def test_where_time_stamps_do_not_tell_the_index_there_are_none(tmp_path):
    avi = clips.video(tmp_path / "a.avi", size=(64, 48), frames=30, codec="mpeg4", options=["-g", "10"])
    assert list(find_start_points(avi, probe(avi))) == []
    whole = clips.video(tmp_path / "a.mkv", size=(64, 48), frames=60, options=["-g", "10"])
    cut = clips.truncated(tmp_path / "cut.mkv", whole)
    assert list(find_start_points(cut, probe(cut))) == []


def test_a_keyframe_that_is_not_there_is_an_error(tmp_path):
    path = clips.video(tmp_path / "a.mp4", size=(64, 48), frames=30, options=["-g", "10"])
    with pytest.raises(SourceError, match="cannot be read from frame 13 on"):
        read_frames(path, probe(path), StartPoint(13, 13))
