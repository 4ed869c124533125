"""The decision on the audio: part of what is approved, and on record wherever the approval is."""

import msgspec
import pytest

from engine import audit, release
from engine.audio.spans import AudioSpan
from engine.certificate.document import Certificate
from engine.certificate.issue import check_certificate
from engine.errors import InputError, SignOffError
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import CERTIFICATE_NAME, CERTIFICATE_PAGE_NAME
from tests.engine.release import signable_runs

pytestmark = pytest.mark.slow

NAME = AudioSpan("mute", 0.1, 0.2, "the patient's name")
MUTED = RenderOptions(audio=(NAME,))
IN_WORDS = "mute of 0.1-0.2 s (the patient's name)"


@pytest.fixture
def muted(ready):
    """A run that was approved with a mute in it."""
    signable_runs.signed(ready, "rita", "reviewed")
    signable_runs.signed(ready, "anna", "approved", options=MUTED)
    return ready


def test_kept_audio_is_not_spelled_out_so_old_hashes_hold(ready):
    terms = msgspec.to_builtins(release.open_snapshot(ready, signable_runs.the_run(ready).id).terms)
    assert "audio" not in terms


def test_the_decision_is_signed_and_stands_until_another_one_is_made(muted):
    run = signable_runs.the_run(muted)
    assert release.read_signed_options(muted, run.id) == MUTED
    case = release.open_snapshot(muted, run.id)
    assert case.terms.audio == (NAME,)
    assert not any(standing.void_reasons for standing in case.sign_off.list_statement_statuses())


@pytest.mark.parametrize(
    ("audio", "now"),
    [
        ((), "kept as in the source"),
        ((msgspec.structs.replace(NAME, end=0.21),), r"mute of 0\.1-0\.21 s \(the patient's name\)"),
        ((msgspec.structs.replace(NAME, kind="bleep"),), r"bleep of 0\.1-0\.2 s \(the patient's name\)"),
        ((msgspec.structs.replace(NAME, reason="a name"),), r"mute of 0\.1-0\.2 s \(a name\)"),
    ],
    ids=["kept", "longer", "a bleep", "another reason"],
)
def test_any_other_decision_voids_the_approval_and_is_said(muted, audio, now):
    expected = rf"since Anna signed that, the audio is {now}, it was mute of 0\.1-0\.2 s \(the patient's name\)\."
    with pytest.raises(SignOffError, match=expected):
        signable_runs.published(muted, options=RenderOptions(audio=audio))


def test_a_span_outside_of_the_clip_cannot_be_approved(ready):
    signable_runs.signed(ready, "rita", "reviewed")
    with pytest.raises(InputError, match="lies outside of the audio"):
        signable_runs.signed(
            ready, "anna", "approved", options=RenderOptions(audio=(AudioSpan("mute", 7, 8, "a name"),))
        )


def test_a_release_tells_of_it_in_report_certificate_page_and_log(muted):
    made = signable_runs.published(muted)
    run = signable_runs.the_run(muted)
    folder = run.folder.releases / "01"
    certificate = msgspec.json.decode((folder / CERTIFICATE_NAME).read_bytes(), type=Certificate)
    assert certificate.render.spec.audio == (NAME,)
    assert certificate.render.audio.startswith("Stream 1 (aac): 4410 samples muted, all ")
    assert [piece.kind for piece in certificate.render.altered[0].pieces] == ["kept", "mute", "kept"]
    assert "mute of 0.1-0.2 s: the patient&#39;s name" in (folder / CERTIFICATE_PAGE_NAME).read_text()
    assert any("nothing but silence" in one.shows for one in certificate.commands)
    assert check_certificate(folder).passed
    told = [
        entry.kind for entry in audit.read_entries(muted.audit, run=run.id) if entry.details.get("audio") == IN_WORDS
    ]
    assert told == ["approval", "render", "release"]
    assert made.statements[1].terms["audio"] == [{"kind": "mute", "start": 0.1, "end": 0.2, "reason": NAME.reason}]
