from engine.detectors import weights
from engine.detectors.model_terms import describe_model_terms, find_model_terms
from tests.repository import ROOT

ALL = (*weights.WEIGHTS, *weights.BENCHMARK_WEIGHTS)


def test_the_guide_states_the_terms_of_every_model():
    text = (ROOT / "docs/guides/models.md").read_text("utf-8")
    rows = []
    for row in ALL:
        terms = find_model_terms(row.name)
        rows.append(
            f"| `{row.name}` | {row.archive.package} {row.archive.version} | {terms.licence} | {terms.training_data} "
            f"| {terms.training_terms} |"
        )
    assert [line for line in text.splitlines() if line.startswith("| `")] == rows


def test_a_file_of_the_user_has_no_known_terms():
    assert describe_model_terms("my-own.onnx") is None
