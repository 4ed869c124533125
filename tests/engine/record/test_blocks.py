import json
import random

import msgspec
import pytest

from engine.core.packed_sequence import BLOCK_ITEMS, PackedSequence
from engine.errors import RecordError
from engine.record import (
    decode_record,
    encode_document,
    hash_record,
    iterate_record,
    pack_frames,
    read_hashed_record,
    sha256_hex,
)
from engine.record.blocks import parse_canonical_record
from tests.record_makers import make_record

FRAMES = 2 * BLOCK_ITEMS + 3


def make_varied_record(frames=FRAMES):
    """A record whose frames have 0 to 2 faces, at places that hardly compress."""
    dice = random.Random(7)
    return make_record(
        [
            [(x := dice.randrange(20_000) / 100, y := dice.randrange(20_000) / 100, x + 9.5, y + 7) for _ in range(n)]
            for n in (dice.randrange(3) for _ in range(frames))
        ],
        cuts=(1, 7),
    )


@pytest.fixture(scope="module")
def varied_record():
    return make_varied_record()


@pytest.mark.parametrize("frames", [1, 2, BLOCK_ITEMS, FRAMES])
def test_blocks_are_the_canonical_bytes(frames):
    record = make_varied_record(frames)
    packed = msgspec.structs.replace(record, frames=pack_frames(record.frames))
    document = json.loads(encode_document(record))
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    for form in (record, packed):
        assert encode_document(form) == canonical
        assert b"".join(iterate_record(form)) == canonical
        assert hash_record(form) == sha256_hex(canonical)


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_a_record_is_read_in_pieces_of_any_size(varied_record, size):
    data = encode_document(varied_record)
    read = parse_canonical_record(data[start : start + size] for start in range(0, len(data), size))
    assert read == varied_record
    assert isinstance(read.frames, PackedSequence)


@pytest.mark.parametrize("rewrite", [lambda document: json.dumps(document, indent=1), json.dumps])
def test_bytes_of_another_program_are_read_as_a_whole_and_hashed_as_they_are(varied_record, tmp_path, rewrite):
    data = rewrite(json.loads(encode_document(varied_record))).encode()
    assert parse_canonical_record([data]) is None
    path = tmp_path / "pretty.json"
    path.write_bytes(data)
    record, sha256 = read_hashed_record(path)
    assert record == varied_record
    assert sha256 == sha256_hex(data)


def test_a_file_is_hashed_while_it_is_read(varied_record, tmp_path):
    path = tmp_path / "record.json"
    path.write_bytes(encode_document(varied_record))
    assert read_hashed_record(path) == (varied_record, sha256_hex(path.read_bytes()))


def replace_once(data, old, new):
    assert data.count(old) == 1
    return data.replace(old, new)


def test_what_only_looks_like_a_record_in_blocks_is_refused(varied_record):
    """Frames in the place of another list, keys that are there twice, and bytes that are cut short or go on."""
    data = encode_document(varied_record)
    start, stop = data.index(b',"frames":[') + 11, data.index(b'],"schema":')
    frames = data[start:stop]
    for wrong in (
        replace_once(data, b',"frames":[' + frames + b"]", b',"frames":[]').replace(
            b'"parameters":{', b'"parameters":{"a":1,"frames":[' + frames + b"],"
        ),
        replace_once(data, b',"frames":[' + frames + b"]", b',"frames":[' + frames + b'],"frames":[]'),
        data.replace(b'"schema":', b'"schema":"veil/detections/2","schema":', 1),
        data.replace(b'"index":5,', b'"index":5,"index":5,', 1),
        data.replace(b'"index":5,', b'"index":5,"colour":1,', 1),
        data[:-40],
        data[: stop - 5],
        data + b"{}",
        data.replace(b'{"doubtful"', b'{"doubtful":[],"doubtful"', 1),
    ):
        assert wrong != data
        assert parse_canonical_record([wrong]) is None
        with pytest.raises(RecordError):
            decode_record(wrong)
