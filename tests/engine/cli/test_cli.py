import json
import os
import subprocess
import sys

import pytest

from engine.cli import main
from engine.cli.parser import build_parser
from engine.record import read_record, record_json_schema
from tests import clips
from tests.engine.conftest import TALK_FRAMES
from tests.record_makers import make_record, record_of, written

pytestmark = pytest.mark.slow

FACE = (30, 20, 90, 80)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A source and its record."""
    folder = tmp_path_factory.mktemp("clip")
    source = clips.video(folder / "clip.mp4", audio=[clips.Audio()])
    return source, written(record_of(source, lambda _: [FACE]), folder / "clip.json")


def run(*arguments, **environment):
    """Run the command line in a process of its own: exit code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *map(str, arguments)],
        capture_output=True, text=True, check=False, env=os.environ | environment,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def complaint(capfd):
    """Run a command in this process that must fail with exit code 2; return its one-sentence error.

    A process of its own each time would show the same and cost half a second; what libraries print is captured too.
    """

    def run_in_vain(*arguments):
        capfd.readouterr()
        returned = main([*map(str, arguments)])
        return check_complaint(returned, *capfd.readouterr())

    return run_in_vain


def check_complaint(returned, out, err):
    assert returned == 2, err
    assert out == ""
    assert err.startswith("veil: ")
    assert err.count("\n") == 1
    return err


def test_render_and_verify_from_a_shell(clip, tmp_path):
    source, record = clip
    out = tmp_path / "out.mp4"
    code, text, errors = run("render", source, record, "-o", out)
    assert (code, errors) == (0, "")
    assert str(out) in text
    code, text, errors = run("verify", source, record, out, "--report", tmp_path / "report.json")
    assert (code, errors) == (0, "")
    assert "Every check passed." in text
    assert json.loads((tmp_path / "report.json").read_bytes())["passed"] is True


def test_a_failed_check_exits_with_3(clip, tmp_path):
    source, record = clip
    out = tmp_path / "out.mp4"
    run("render", source, record, "-o", out, "--style", "training-data")
    out.with_name("out.mp4.render.json").unlink()
    code, text, _ = run("verify", source, record, out, "--render-again")
    assert code == 3
    assert "FAIL  rendered again" in text
    code, text, _ = run("verify", source, record, out, "--json")
    assert code == 3
    assert json.loads(text)["passed"] is False


def test_json_of_every_verb_is_one_document(clip, tmp_path, capsys):
    source, record = clip
    out = str(tmp_path / "out.mp4")
    assert main(["probe", str(source), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["video"]["codec"] == "h264"
    assert main(["render", str(source), str(record), "-o", out, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["encoder"]["ffmpeg_args"][:2] == ["-c:v", "libx264"]
    assert main(["verify", str(source), str(record), out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"]
    assert main(["schema", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(record_json_schema()))
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "veil/detections/2"


def test_with_json_an_error_is_json_too(tmp_path):
    code, out, err = run("probe", tmp_path / "none.mp4", "--json")
    assert code == 2
    assert json.loads(out)["error"] in err


def test_detect_and_anonymise_from_a_shell(talk, own_data, tmp_path):
    code, text, errors = run(
        "detect", talk, "-o", tmp_path / "a.json", "--detectors", "yolov8-face", "--data", own_data
    )
    assert (code, errors) == (0, "")
    assert f"1 track in {TALK_FRAMES} frames" in text
    code, text, errors = run(
        "anonymise", talk, "-o", tmp_path / "a.mp4", "--record", tmp_path / "b.json", "--detectors", "yolov8-face",
        "--set", "smoothing.window_s=0", "--style", "broadcast,blocks=5", "--encoder", "crf=20,preset=fast",
        "--json", VEIL_DATA=str(own_data),
    )  # fmt: skip
    assert code == 0, errors
    result = json.loads(text)
    assert result["checks"]["passed"]
    assert result["render"]["spec"]["style"]["blocks"] == 5
    assert result["render"]["spec"]["encoder"]["crf"] == 20
    assert read_record(tmp_path / "b.json").detection.smoothing.window_s == 0


def test_a_video_without_a_face_is_said_to_have_none(own_data, tmp_path, capsys):
    source = clips.video(tmp_path / "a.mp4", frames=24, rate="10")
    command = ["anonymise", str(source), "--detectors", "yolov8-face", "--data", str(own_data), "-o"]
    assert main([*command, str(tmp_path / "b.mp4")]) == 3
    assert "No face was found in any of 24 frames" in capsys.readouterr().out
    assert main([*command, str(tmp_path / "c.mp4"), "--allow-none", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unmasked"] == [[0.0, 2.4]]


def test_models_are_verified_with_exit_3_when_one_is_missing(own_data, tmp_path):
    assert run("models", "verify", "--data", own_data)[0] == 0
    code, text, _ = run("models", "verify", "--data", tmp_path, "--json")
    assert code == 3
    assert set(json.loads(text)["models"].values()) == {"missing"}


def test_usage_errors_are_one_sentence_and_exit_with_2():
    assert check_complaint(*run("dance")) == "veil: there is no verb 'dance'; see veil --help.\n"
    assert "required: source, -o/--output; see veil detect --help." in check_complaint(*run("detect"))
    workers = check_complaint(*run("detect", "clip.mp4", "-o", "clip.json", "--workers", "0"))
    assert "argument --workers: must be a whole number of at least 1, got '0'" in workers
    assert run("--version")[0] == 0


def bad_sources(folder):
    empty, text = folder / "empty.mp4", folder / "text.mp4"
    empty.write_bytes(b"")
    text.write_text("Dear diary")
    whole = clips.video(folder / "whole.mp4", frames=50)
    return {
        "empty.mp4": empty,
        "text.mp4": text,
        "half.mp4": clips.truncated(folder / "half.mp4", whole),
        "sound.m4a": clips.sound_only(folder / "sound.m4a"),
        "none.mp4": folder / "none.mp4",
        folder.name: folder,
    }


def test_a_file_that_is_not_a_video_is_named_in_one_sentence(own_data, tmp_path, complaint):
    detect = ("detect", "-o", tmp_path / "a.json", "--data", own_data)
    for name, path in bad_sources(tmp_path).items():
        for verb in (("probe", path), (*detect, path)):
            assert name in complaint(*verb)
    for verb in ("probe", tmp_path / "text.mp4"), (*detect, tmp_path / "half.mp4"):
        assert ".mp4" in check_complaint(*run(*verb)), "a shell shows the same"
    assert not (tmp_path / "a.json").exists()


def test_a_video_cut_in_half_behind_its_index_is_refused(own_data, tmp_path, complaint):
    whole = clips.video(tmp_path / "whole.mp4", frames=50, options=["-movflags", "+faststart"])
    half = clips.truncated(tmp_path / "half.mp4", whole, share=0.7)
    text = complaint("detect", half, "-o", tmp_path / "a.json", "--detectors", "yolov8-face", "--data", own_data)
    assert "half.mp4" in text
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda document: document.update(extra=1), "extra"),
        (lambda document: document["frames"][0]["faces"][0]["box"].__setitem__(2, 9999), "crosses the border"),
        (lambda document: document["source"].update(sha256="0" * 64), "another video"),
        (lambda document: document.update(schema="veil/detections/9"), "veil/detections/9"),
        (lambda document: document["frames"].pop(), "entries for"),
    ],
)
def test_records_that_are_wrong_are_refused_in_one_sentence(clip, tmp_path, edit, word, complaint):
    source, record = clip
    document = json.loads(record.read_bytes())
    edit(document)
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(document))
    assert word in complaint("render", source, wrong, "-o", tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_targets_that_cannot_be_written_are_refused_in_one_sentence(clip, tmp_path, complaint):
    source, record = clip
    assert "nowhere" in complaint("render", source, record, "-o", tmp_path / "nowhere" / "out.mp4")
    assert "is a folder" in complaint("render", source, record, "-o", tmp_path)
    assert "cannot end in .xyz" in complaint("render", source, record, "-o", tmp_path / "out.xyz")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_is_reported_and_leaves_no_file(clip, tmp_path, complaint):
    source, record = clip
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], check=False).returncode != 0:
        pytest.skip("this machine does not allow to mount a small disk")
    try:
        text = complaint("render", source, record, "-o", disk / "out.mp4")
        assert "out.mp4" in text
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--style", "loud"], "no style 'loud'"),
        (["--style", "strong,sigma"], "NAME=VALUE"),
        (["--style", "strong,sparkle=1"], "sparkle"),
        (["--style", "broadcast,blocks=30"], "blocks 30"),
        (["--encoder", "crf=90"], "crf"),
    ],
)
def test_styles_and_encoders_that_do_not_exist_are_refused(clip, tmp_path, arguments, word, complaint):
    source, record = clip
    assert word in complaint("render", source, record, "-o", tmp_path / "out.mp4", *arguments)


@pytest.mark.parametrize("setting", ["threshold=1", "yolov8-face.threshold", "fusion.iou=7", "mtcnn.wings=1"])
def test_settings_that_do_not_exist_are_refused(clip, own_data, tmp_path, setting, complaint):
    complaint("detect", clip[0], "-o", tmp_path / "a.json", "--set", setting, "--data", own_data)


def test_a_report_on_a_record_that_is_too_long_for_its_video(clip, tmp_path, complaint):
    source, _ = clip
    wrong = written(make_record([[]]), tmp_path / "wrong.json")
    assert "another video" in complaint("verify", source, wrong, source)


def test_results_name_what_was_done_and_the_output(talk, own_data, tmp_path, capsys):
    data, out = str(own_data), str(tmp_path / "out.mp4")
    detection = ["--detectors", "yolov8-face", "--set", "smoothing.window_s=0.04", "--data", data]
    assert main(["detect", str(talk), "-o", str(tmp_path / "a.json"), *detection]) == 0
    assert f"1 track in {TALK_FRAMES} frames" in capsys.readouterr().out
    assert main(["anonymise", str(talk), "-o", out, "--style", "broadcast,blocks=5", *detection]) == 0
    text = capsys.readouterr().out
    assert "Every check passed." in text
    assert out in text
    assert main(["render", str(talk), str(tmp_path / "a.json"), "-o", out, "--encoder", "crf=20", "--overwrite"]) == 0
    assert f"{TALK_FRAMES} frames rendered" in capsys.readouterr().out
    assert main(["verify", str(talk), str(tmp_path / "a.json"), out]) == 0
    assert "ok    masks" in capsys.readouterr().out
    assert main(["probe", str(talk)]) == 0
    assert "352x288" in capsys.readouterr().out
    assert main(["models", "verify", "--data", data]) == 0
    assert "yolov8n-face.onnx" in capsys.readouterr().out
    assert main(["probe", str(tmp_path / "none.mp4")]) == 2
    assert "none.mp4" in capsys.readouterr().err


def test_the_demo_anonymises_and_checks_the_sample_clip(own_data, capsys):
    assert main(["demo", "--data", str(own_data)]) == 0
    assert "Every check passed." in capsys.readouterr().out
    assert (own_data / "sample" / "interview.anonymised.mp4").stat().st_size > 100_000


def test_spans_of_audio_are_replaced_and_reported(clip, tmp_path):
    source, record = clip
    out = tmp_path / "out.mp4"
    spans = ("--mute", "0.2-0.4", "--bleep", "0.5-0.6@1", "--audio-reason", "a name")
    code, text, errors = run("render", source, record, "-o", out, *spans)
    assert code == 0
    assert "Audio 1: 8820 samples muted and 4410 samples bleeped, all " in text
    assert "The output is a Matroska file, because" in errors
    code, text, _ = run("verify", source, record, out)
    assert code == 0
    assert "aac: 8820 samples muted and 4410 samples bleeped, all " in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mute", "2-3"), "--mute 2-3 needs --audio-reason"),
        (("--audio-reason", "a name"), "give --mute or --bleep"),
        (("--mute", "from two", "--audio-reason", "a name"), "--mute takes START-END in seconds, as 12-15.5"),
        (("--bleep", "0.4-0.2", "--audio-reason", "a name"), "must end after it starts, but 0.4-0.2 s does not"),
        (("--bleep", "0.2-0.4", "--audio-reason", " "), "gives no reason"),
        (("--mute", "7-8", "--audio-reason", "a name"), "The mute of 7-8 s lies outside of the audio"),
        (("--mute", "0.2-0.4@2", "--audio-reason", "a name"), "names audio stream 2, but the source has 1"),
        (("--mute", "0-0.4", "--bleep", "0.3-0.5", "--audio-reason", "a name"), "overlap in the same stream"),
    ],
)
def test_wrong_spans_of_audio_are_refused(clip, tmp_path, arguments, message, complaint):
    source, record = clip
    assert message in complaint("render", source, record, "-o", tmp_path / "out.mp4", *arguments)


def test_silence_in_a_clip_without_audio_is_refused(tmp_path, complaint):
    source = clips.silent(tmp_path / "silent.mp4")
    record = written(record_of(source, lambda _: [FACE]), tmp_path / "silent.json")
    arguments = ("--mute", "0.2-0.4", "--audio-reason", "a name")
    assert "has no audio stream" in complaint("render", source, record, "-o", tmp_path / "out.mp4", *arguments)


def test_a_verb_imports_only_what_it_needs():
    script = (
        "import sys; from engine.cli.parser import build_parser; build_parser(sys.argv[1:]);"
        "print(*sorted({'av', 'cv2', 'rich', 'engine.detection.detect', 'engine.evidence'} & set(sys.modules)))"
    )
    for words, loaded in (["--help"], "rich"), (["render", "--help"], "av cv2 rich"):
        done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == loaded


def test_every_verb_describes_itself():
    for verb in build_parser()._subparsers._group_actions[0].choices.values():
        assert verb.format_help().count("\n") > 3
