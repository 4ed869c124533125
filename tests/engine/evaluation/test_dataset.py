"""Detection on the files that a table of ground truth names."""

import os
from pathlib import Path

import cv2
import pytest
import skimage.data

from engine.errors import InputError
from engine.evaluation import ground_truth, summary
from engine.evaluation.dataset import detect_dataset
from engine.record import DetectOptions
from tests import clips

FACE = (175, 68, 97, 128)
OPTIONS = DetectOptions(detectors=("centerface",), workers=1)


@pytest.fixture(scope="module")
def table(carphone, tmp_path_factory):
    """Two photographs, stills of a video, and a video; the truth of each that has one."""
    folder = tmp_path_factory.mktemp("truth")
    astronaut = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / "a.jpg"), astronaut)
    cv2.imwrite(str(folder / "b.png"), astronaut[:, ::-1])
    (folder / "stills").mkdir()
    clips.ffmpeg("-i", carphone, "-frames:v", "6", folder / "stills" / "%d.png")
    clips.ffmpeg("-i", carphone, "-frames:v", "6", "-c:v", "libx264", "-qp", "0", folder / "talk.mp4")
    x, y, w, h = FACE
    path = folder / "truth.csv"
    path.write_text(
        "file,frame,x,y,w,h,ignore\n"
        f"a.jpg,0,{x},{y},{w},{h},0\n"
        f"b.png,,{512 - x - w},{y},{w},{h},0\n"
        + "".join(f"stills/{number + 1}.png,{number},60,25,50,70,0\n" for number in range(6))
        + "talk.mp4,3,60,25,50,70,0\n",
        encoding="utf-8",
    )
    return path


def workers():
    """Process ids of the detectors that this process has started."""
    pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()
    return {pid for pid in pids if b"engine.detectors.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


class Watch:
    """Notes the processes that this one has started, each time it hears of progress."""

    def __init__(self):
        self.children, self.calls = set(), 0

    def progress(self, stage, done, total):
        if stage == "detect":
            self.calls += 1
            self.children |= workers()

    def notice(self, message):
        raise AssertionError(message)


@pytest.fixture(scope="module")
def surveyed(table, own_data):
    watch = Watch()
    return detect_dataset(ground_truth.read_truth(table), table, OPTIONS, data=own_data, listener=watch), watch


def test_photographs_stills_and_videos_are_all_looked_at(surveyed, table):
    records, _ = surveyed
    assert set(records) == {"a.jpg", "b.png", "stills", "talk.mp4"}
    assert [len(records[name].frames) for name in ("a.jpg", "b.png", "stills", "talk.mp4")] == [1, 1, 6, 6]
    figures = summary.evaluate(ground_truth.read_truth(table), records)
    assert (figures.faces, figures.recall, figures.false_per_frame) == (9, 1.0, 0.0)


def test_detectors_start_once_for_all_photographs_and_once_for_the_rest(surveyed):
    records, watch = surveyed
    assert watch.calls >= 4
    assert len(watch.children) == 2
    sizes = [records[name].detection.detectors[0].parameters["size"] for name in ("a.jpg", "b.png", "stills")]
    assert sizes == [3840, 3840, 1920]


def test_stills_are_detected_like_the_video_they_are(surveyed):
    """Nothing but the pictures decides: a lossless video of the same frames has the same faces."""
    stills, video = surveyed[0]["stills"], surveyed[0]["talk.mp4"]
    for one, other in zip(stills.frames, video.frames, strict=True):
        ((a,), (b,)) = one.faces, other.faces
        assert a.box.iou(b.box) > 0.9


def test_stills_numbered_otherwise_than_the_table_has_them_are_refused(table, tmp_path, own_data):
    wrong = tmp_path / "truth.csv"
    wrong.write_text("file,frame,x,y,w,h\nstills/3.png,1,60,25,50,70\n", encoding="utf-8")
    (tmp_path / "stills").symlink_to(table.parent / "stills")
    with pytest.raises(InputError, match=r"calls stills/3\.png frame 1, but that still of the folder is 2\.png"):
        detect_dataset(ground_truth.read_truth(wrong), wrong, OPTIONS, data=own_data)


def test_a_file_that_is_not_there_is_named(tmp_path, own_data):
    path = tmp_path / "truth.csv"
    path.write_text("file,frame,x,y,w,h\nlost.jpg,0,1,1,9,9\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"names lost\.jpg"):
        detect_dataset(ground_truth.read_truth(path), path, OPTIONS, data=own_data)
