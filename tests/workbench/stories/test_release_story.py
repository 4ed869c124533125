"""The whole way of one video through the pages, with three people, to a release that is checked without them."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine import access, audit, runs
from engine.record import read_record, sha256_hex
from engine.review.amendments import Add, Delete
from engine.review.review_file import read_review
from tests import clips
from tests.browser import make_data_folder, running_workbench, save_screenshot, wait_until_settled
from tests.tracing import TRACE_SOCKETS, find_contacts
from tests.workbench.accounts import add_accounts
from tests.workbench.page_actions import (
    LONG_TIMEOUT_MS,
    add_face,
    confirm_with_password,
    delete_track,
    download_file,
    go_to_step,
    judge_finding,
    list_faults,
    open_page,
    sign,
    signed_in_window,
    wait_for_message,
    wait_until_painted,
)
from tests.workbench.server.isolated_day import PROXIES

SIZE, FRAMES = (480, 288), 36
POSTER, MISSED = (384, 20, 448, 104), (380, 204, 452, 276)
"""A photograph on the wall that may be seen, and a face lying on its side that no detector sees."""
UNTIL = 30


@pytest.fixture
def clip(carphone, tmp_path):
    """The man in the car, and beside him a save_screenshot of a woman: upright, on its head, and on its side."""
    woman = Path(importlib.util.find_spec("skimage").origin).parent / "data" / "astronaut.png"
    pictures = (
        f"[0:v]trim=end_frame={FRAMES},scale=352:288:flags=lanczos,setsar=1,pad=480:288:0:0:color=gray[car];"
        "[1:v]crop=150:150:150:30,scale=100:100,split=3[a][b][c];[b]vflip,hflip,scale=80:80[turned];"
        "[c]transpose=1,scale=64:64,gblur=2,eq=contrast=0.6[side];[car][a]overlay=366:4[one];"
        "[one][turned]overlay=376:110[two];[two][side]overlay=384:208,format=yuv420p[v]"
    )
    path = tmp_path / "ward.mp4"
    clips.ffmpeg(
        "-i", carphone, "-i", woman, "-f", "lavfi", "-i", "sine=440:duration=2", "-filter_complex", pictures,
        "-map", "[v]", "-map", "2:a", "-c:v", "libx264", "-crf", "16", "-c:a", "aac", path,
    )  # fmt: skip
    return path


@pytest.fixture
def server(models, tmp_path):
    """A workbench with three accounts and four eyes: who approves has neither asked for the run nor reviewed it.

    Where strace is installed, the server and all that it starts are traced: the whole day contacts no other host.
    """
    (tmp_path / "data").mkdir()
    data = add_accounts(make_data_folder(tmp_path / "data", models))
    ana = access.read_people(data).get_account("ana").to_person("account")
    access.set_policy(data, ana, access.Policy(persons="three"))
    log = tmp_path / "trace"
    tracer = (*TRACE_SOCKETS, "-D", "-o", log)
    with running_workbench(data, wrapper=tracer if shutil.which("strace") else (), **PROXIES) as running:
        yield running
    assert not log.exists() or find_contacts(log) == []


def test_from_footage_to_a_release_that_anybody_can_check(server, chromium, clip, tmp_path):
    with signed_in_window(chromium, server, "ana") as page:
        detect(page, clip)
        assert list_faults(page) == []
    (run,) = runs.read_register(server.data).runs
    poster = track_at(run, POSTER)
    with signed_in_window(chromium, server, "ben") as page:
        frame = follow_a_disagreement(page, run)
        add_face(page, SIZE, MISSED, until=UNTIL)
        wait_for_message(page, "Saved as amendment 1.")
        delete_track(page, poster, "a poster, and she agreed")
        wait_for_message(page, "Saved as amendment 2.")
        page.get_by_test_id("stMain").get_by_role("link", name="Sign off").click()
        page.get_by_role("radiogroup", name="Step").wait_for()
        sign(page, "Sign as reviewed", "ben", "a story of a test", below_policy=True)
        assert not page.get_by_role("button", name="Approve", exact=True).is_visible()
        assert list_faults(page) == []
    with signed_in_window(chromium, server, "cho") as page:
        approve(page)
        release(page)
        assert list_faults(page) == []
        names = (f"{run.id}.mp4", "detections.json", "review.jsonl")
        save_screenshot(page, "story-released")
        out, record, review = (download_file(page, name, tmp_path) for name in names)
    added, deleted = read_review(review, sha256_hex(record.read_bytes())).amendments
    assert isinstance(added.action, Add) and isinstance(deleted.action, Delete)
    assert [keyframe.index for keyframe in added.action.keyframes] == [frame, UNTIL]
    assert (deleted.action.track, deleted.by.account) == (poster, "ben")
    checks = veil("verify", clip, record, out, "--review", review)
    assert checks["passed"] is True
    changes_are_where_they_belong(clip, out, frame)
    signed = [(entry.kind, entry.actor.account) for entry in audit.read_entries(server.data.audit, run=run.id)]
    assert {("view", "ben"), ("amendment", "ben"), ("approval", "cho"), ("judgement", "cho")} <= set(signed)
    assert {entry.actor.account for entry in audit.read_entries(server.data.audit, kinds=["download"])} == {"cho"}


def detect(page, clip):
    """From Home: bring footage, detect on-prem with two detectors, watch, load the page again, see the end."""
    page.get_by_role("link", name="Choose a video").click()
    page.get_by_text("Options", exact=True).click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(clip)
    page.get_by_text("rough estimate").wait_for()
    wait_until_settled(page)
    detectors = page.get_by_role("combobox", name="Detectors")
    detectors.click()
    detectors.press("Backspace")  # removes RetinaFace, so that MTCNN and CenterFace disagree in known places
    wait_until_settled(page)
    detectors.fill("mtcnn")
    page.get_by_role("option", name="mtcnn").wait_for()
    detectors.press("ArrowDown")
    detectors.press("Enter")
    page.keyboard.press("Escape")
    wait_until_settled(page)
    page.get_by_role("button", name="Start 1 run").click()
    page.get_by_text("Detecting faces").wait_for(timeout=LONG_TIMEOUT_MS)
    page.reload()
    wait_until_settled(page)
    page.get_by_text(f"{FRAMES} frames · {3 * FRAMES} detections · ").wait_for(timeout=LONG_TIMEOUT_MS)


def follow_a_disagreement(page, run):
    """In Analyse, choose a place where a detector missed what the other saw; the frame at which Review opens."""
    open_page(page, "Analyse")
    lanes = page.locator(".js-plotly-plot").nth(1)
    lanes.scroll_into_view_if_needed()
    point = lanes.locator(".barlayer .point path").nth(FRAMES // 3)
    point.hover(force=True)
    told = lanes.locator(".hovertext").first.text_content()
    point.click(force=True)
    page.wait_for_url("**/review?run=*frame=*")
    frame = int(page.url.partition("frame=")[2].partition("&")[0])
    assert f"frame {frame}," in told
    wait_until_painted(page, frame)
    wait_until_settled(page)
    seen_by = [{one.detector for one in face.evidence} for face in read_record(run.folder.record).frames[frame].faces]
    assert {"centerface"} in seen_by, "MTCNN did not see a face there"
    assert page.get_by_label("Frame number").input_value() == str(frame)
    return frame


def approve(page):
    """From Home, where it waits: approve what was reviewed."""
    page.get_by_text("next: approval").wait_for()
    page.get_by_test_id("stMain").get_by_role("link", name="Sign off").click()
    page.get_by_text("Ben Carr signed this as reviewed below the policy").first.wait_for()
    sign(page, "Approve", "cho", reason="as agreed", below_policy=True)


def release(page):
    """Release, judge the poster that the search finds, and release again; the result is shown."""
    go_to_step(page, "5. Release")
    confirm_with_password(page, "Release the final video", "cho")
    page.get_by_test_id("stProgress").wait_for()
    page.get_by_text("The output may still show a face").wait_for(timeout=LONG_TIMEOUT_MS)
    wait_until_settled(page)
    save_screenshot(page, "story-findings")
    while page.get_by_role("button", name="Judge").count():
        left = page.get_by_role("button", name="Judge").count()
        judge_finding(page, "Face, allowed to be visible", "a poster, and she agreed")
        page.wait_for_function(BUTTONS, arg=left - 1)
        wait_until_settled(page)
    confirm_with_password(page, "Release the final video", "cho")
    page.get_by_text("All checks passed").wait_for(timeout=LONG_TIMEOUT_MS)
    wait_until_settled(page)
    released = page.get_by_label("Released", exact=True).element_handle()
    page.wait_for_function("video => video.readyState >= 1", arg=released)


BUTTONS = (
    """left => [...document.querySelectorAll("button")].filter(one => one.innerText === "Judge").length === left"""
)


def track_at(run, box):
    """The track whose box lies about a place in each frame."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    faces = [face for frame in read_record(run.folder.record).frames for face in frame.faces]
    (track,) = {
        face.track for face in faces if face.box.left < x < face.box.right and face.box.top < y < face.box.bottom
    }
    return track


def veil(*words):
    """What the command line says, as a document."""
    command = [sys.executable, "-m", "engine.cli", *map(str, words), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def changes_are_where_they_belong(source, out, frame):
    """The added face is hidden from its first frame to its last and not before; the deleted one never is."""
    before, after = pictures(source), pictures(out)
    assert len(before) == len(after) == FRAMES
    inside = [changed(a, b, MISSED) for a, b in zip(before, after, strict=True)]
    assert min(inside[frame : UNTIL + 1]) > 10 * max(inside[: frame - 1])
    poster = [changed(a, b, POSTER) for a, b in zip(before, after, strict=True)]
    man = [changed(a, b, (110, 72, 212, 201)) for a, b in zip(before, after, strict=True)]
    assert max(poster) < min(man) / 5


def pictures(path):
    video = cv2.VideoCapture(str(path))
    found = []
    while (answer := video.read())[0]:
        found.append(answer[1].astype(np.int16))
    video.release()
    return found


def changed(one, other, box):
    """Mean difference of two pictures in the middle of a box, in levels."""
    left, top, right, bottom = box
    x, y = (right - left) // 4, (bottom - top) // 4
    place = np.s_[top + y : bottom - y, left + x : right - x]
    return float(np.abs(one[place] - other[place]).mean())
