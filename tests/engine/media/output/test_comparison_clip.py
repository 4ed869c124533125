import sys

import pytest

from engine.core.geometry import Size
from engine.errors import InputError, SourceError
from engine.media.output.comparison_clip import ClipSection, write_comparison_clip
from engine.media.source.probe import probe
from tests import clips

# MoviePy leaves the pipes of FFmpeg to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two videos of different sizes and lengths."""
    folder = tmp_path_factory.mktemp("pair")
    return clips.video(folder / "a:b.mp4", frames=25), clips.video(folder / "b.mkv", frames=20, size=(256, 96))


@pytest.mark.slow
def test_videos_run_side_by_side_for_as_long_as_both_last(pair, tmp_path):
    pytest.importorskip("moviepy")
    target = tmp_path / "clip.mp4"
    assert write_comparison_clip(pair, target, ClipSection(0.2, 5.0, 48)) == pytest.approx(0.6, abs=0.05)
    info = probe(target)
    assert info.video.display == Size(64 + 128, 48)
    assert [stream.kind for stream in info.streams] == ["video"]


@pytest.mark.slow
def test_an_animation_of_one_video(pair, tmp_path):
    pytest.importorskip("moviepy")
    target = tmp_path / "clip.gif"
    write_comparison_clip(pair[1:], target, ClipSection(height_px=48))
    assert target.read_bytes().startswith(b"GIF89a")


def test_what_cannot_be_done_is_refused(pair, tmp_path):
    pytest.importorskip("moviepy")
    with pytest.raises(InputError, match="cannot start at 9 s"):
        write_comparison_clip(pair, tmp_path / "clip.mp4", ClipSection(start_s=9))
    with pytest.raises(SourceError, match="cannot be read as a video"):
        write_comparison_clip([tmp_path / "none.mp4"], tmp_path / "clip.mp4", ClipSection())
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused(pair, tmp_path):
    with pytest.raises(InputError, match="has to end in"):
        write_comparison_clip(pair, tmp_path / "clip.webm", ClipSection())


def test_without_moviepy_the_error_has_the_command(pair, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "moviepy", None)
    with pytest.raises(InputError, match=r"pip install 'veil-workbench\[comparison\]'"):
        write_comparison_clip(pair, tmp_path / "clip.mp4", ClipSection())
