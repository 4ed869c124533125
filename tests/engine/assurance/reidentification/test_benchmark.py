import dataclasses

import msgspec
import pytest

from engine.assurance.reidentification.benchmark import reidentify
from engine.assurance.reidentification.people import Sampling
from engine.assurance.reidentification.scores import Top1Rate
from engine.assurance.reidentification.table import format_table
from engine.errors import InputError, RecordError
from engine.masking.style import Style
from tests.engine.assurance.reidentification.synthetic_people import PatternRecogniser, make_clip

PEOPLE = 6
SOLID = Style(method="solid")
FINE = Style(method="pixelate", blocks=32, levels=256)
SAMPLING = Sampling(gallery=3, probes=3, same=0.1)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    return [make_clip(folder, f"person-{number}", number) for number in range(PEOPLE)]


@pytest.fixture(scope="module")
def result(clips):
    return reidentify(clips, {"solid": SOLID, "fine": FINE}, PatternRecogniser(), sampling=SAMPLING)


@pytest.mark.slow
def test_everybody_is_identified_unmasked(result):
    assert (result.people, result.looked_at, result.clips) == (PEOPLE, PEOPLE, PEOPLE)
    assert result.control.share == result.control_by_box.share == 1.0
    assert result.chance == pytest.approx(1 / PEOPLE)


def test_a_flat_mask_is_identified_at_chance_by_every_attack(result):
    solid = result.styles[0]
    shares = {rate.share for one in solid.attacks.values() for rate in (one.frame, one.mean, one.superposed)}
    assert shares == {round(1 / PEOPLE, 4)}
    assert solid.hidden


def test_a_mosaic_that_keeps_the_pattern_is_found_out(result):
    fine = result.styles[1]
    assert fine.attacks["plain"].frame.share > 0.9
    assert fine.attacks["parrot"].frame.share > 0.9
    assert not fine.hidden
    assert fine.weaknesses
    assert result.passed


def test_a_style_that_veil_accepts_and_people_show_through_fails_the_benchmark(clips):
    coarse = Style(method="pixelate", blocks=6)
    found = reidentify(clips, {"coarse": coarse}, PatternRecogniser(), sampling=SAMPLING, attacks=["plain"])
    assert found.styles[0].weaknesses == ()
    assert found.styles[0].attacks.keys() == {"plain"}
    assert not found.styles[0].hidden
    assert not found.passed


def test_two_clips_of_one_person_are_told_by_the_unmasked_faces_or_by_labels(clips, tmp_path):
    again = make_clip(tmp_path, "again", 0)
    found = reidentify([*clips, again], {}, PatternRecogniser(), sampling=SAMPLING)
    assert (found.people, found.clips) == (PEOPLE, PEOPLE + 1)
    labels = {clip.name: {0: "the same"} for clip in clips[:2]} | {clips[2].name: {0: "another"}}
    labelled = reidentify([*clips, again], {}, PatternRecogniser(), sampling=SAMPLING, labels=labels)
    assert (labelled.people, labelled.clips) == (2, 3)


class Blind(PatternRecogniser):
    """Sees nothing, so that nobody is identified unmasked."""

    def embed_faces(self, faces):
        return super().embed_faces(faces) * 0


def test_people_who_are_not_identified_unmasked_do_not_count(clips):
    with pytest.raises(InputError, match=f"Of {PEOPLE} people only 1 are identified unmasked"):
        reidentify(clips, {"solid": SOLID}, Blind(), sampling=msgspec.structs.replace(SAMPLING, same=0.0), labels={
            clip.name: {0: clip.name} for clip in clips
        })  # fmt: skip
    with pytest.raises(InputError, match="Of 0 people"):
        reidentify([], {"solid": SOLID}, PatternRecogniser())


def test_a_record_of_other_frames_is_refused(clips):
    record = clips[0].record
    moved = [msgspec.structs.replace(frame, pts=frame.pts + 1) for frame in record.frames]
    strange = clips[0]._replace(record=msgspec.structs.replace(record, frames=tuple(moved)))
    with pytest.raises(RecordError, match=r"Frame 0 of .*person-0"):
        reidentify([strange, *clips[1:]], {"solid": SOLID}, PatternRecogniser(), sampling=SAMPLING)


def test_no_embedding_is_in_the_result_or_on_the_disk(result, clips):
    folder = clips[0].path.parent
    assert sorted(path.name for path in folder.iterdir()) == [clip.name for clip in clips]
    numbers = [
        rate for style in result.styles for one in style.attacks.values() for rate in msgspec.structs.astuple(one)
    ]
    assert all(isinstance(rate, Top1Rate) for rate in numbers)
    assert len(msgspec.json.encode(result)) < 6000


def test_the_table_says_who_counts_and_what_holds(result):
    text = format_table(result)
    assert f"{PEOPLE} of {PEOPLE} people are identified unmasked" in text
    assert "solid: hides people, accepted by Veil" in text
    assert "fine: DOES NOT HIDE PEOPLE, refused by Veil" in text


def test_the_listener_hears_of_both_passes(clips):
    heard = []

    @dataclasses.dataclass
    class Ear:
        def progress(self, stage, done, total):
            heard.append((stage, done, total))

        def notice(self, message):
            raise AssertionError(message)

    reidentify(clips[:2], {"solid": SOLID}, PatternRecogniser(), sampling=SAMPLING, listener=Ear())
    assert heard == [("survey", 1, 2), ("survey", 2, 2), ("attack", 1, 2), ("attack", 2, 2)]
