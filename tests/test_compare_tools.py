"""The parts of the comparison that need no other tool: the loop of the scripts, cutting, and the table."""

import pytest

from engine.evaluation.ground_truth import Clip, LabelledFrame, Truth
from engine.media.source.probe import probe
from tests import clips
from tests.benchmarks.compare_tools import cut_into_clips, format_table
from tests.benchmarks.tools import opencv_cascade


@pytest.fixture
def masked(tmp_path):
    """What the plain script makes of a clip of five frames."""
    source = clips.video(tmp_path / "in.mp4", frames=5)
    opencv_cascade.main(source, tmp_path / "out.mp4")
    return tmp_path / "out.mp4"


def test_an_output_is_cut_into_its_clips_again(masked, tmp_path):
    def clip(name, frames):
        labelled = tuple(LabelledFrame(name, index, ()) for index in range(frames))
        return Clip(name, sequence=False, frames=labelled)

    truth = Truth("truth.csv", (clip("1080p/a.mp4", 2), clip("1080p/b.mp4", 3)), ())
    cut_into_clips(masked, truth, tmp_path / "parts")
    assert [probe(tmp_path / "parts" / "1080p" / f"{name}.mkv").video.packets for name in "ab"] == [2, 3]


def test_the_table_has_a_row_for_each_tool():
    score = {"frame_coverage": 0.5, "face_coverage": 0.75, "tracks": 4, "tracks_covered": 3, "false_area": 0.021}
    text = format_table([{"tool": "a tool", "wall_s": 2.0, "processor_s": 3.0, "score": score}], 10)
    assert text.splitlines()[-1] == "| a tool | 300 ms | 200 ms | 0.500 | 0.750 | 1 of 4 | 2.1% |"
