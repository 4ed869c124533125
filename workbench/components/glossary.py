"""The words of the workbench. A test compares them with docs/glossary.md."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

GLOSSARY: Mapping[str, str] = MappingProxyType({
    "source": "The file that is anonymised: a video, a photograph, or a folder of numbered stills. It is only read.",
    "frame": (
        "One picture of a video, known by its index (0, 1, 2 ...) and its presentation time stamp (pts). "
        "Seconds are derived."
    ),
    "detector": "A model or service that finds faces in a picture. The README lists them.",
    "mode": "Which detectors run and where: `on-prem`, `cloud`, `hybrid`, `live`.",
    "face": "What has to be covered in one frame: a box, its track and its origin.",
    "track": "One face followed from frame to frame. A track never crosses a cut.",
    "person": "Several tracks that show the same human being. Faces, tracks and people are three different numbers.",
    "card": "A person on the page Review: faces, frames, items to check, and what was decided.",
    "cut": "The first frame of a new scene.",
    "scene": "The frames from one cut to the next.",
    "possible face, not masked": (
        "A weak detection that the frames around it do not confirm. It is not covered; a reviewer "
        "decides. In the record: `doubtful`."
    ),
    "record": (
        "The detection record: JSON that accounts for every frame. Rendering and review read it and run "
        "no model."
    ),
    "amendment": (
        "A reviewer's change to a record: add, delete, resize, extend, cover, keep visible, accept, flag, undo. "
        "Amendments are only ever appended."
    ),
    "item to check": "A place in the video where a reviewer should decide, with the reason and a risk.",
    "risk": "An estimate, from rules, of how likely a face shows at an item. Not a probability.",
    "random sample check": "Frames drawn at random that a person looks at to estimate how many faces were missed.",
    "viewed": "Shown on a reviewer's screen long enough to count.",
    "mask": "The area that is covered in one frame.",
    "style": "All parameters of how a mask looks.",
    "preset": "A style with a name, such as `strong`. The README lists them.",
    "draft": "An output that has not been approved. It carries a tag that says so.",
    "release": "The approved output, with its certificate and documents.",
    "container": "The file format: MP4, MOV, Matroska, WebM, AVI, MPEG-TS ...",
    "audio span": "A part of the audio that is muted or bleeped.",
    "run": "One detection in the data folder, with everything that follows from it.",
    "started by": "The person who started a run.",
    "case": "The work on a run: to whom it is assigned, and whether it is archived.",
    "note": (
        "What a person has to say about a frame, an item to check, or a run. It is no amendment and is "
        "not signed."
    ),
    "send back": (
        "Sign a rejection: the run has to be reviewed again, for a reason and, if you like, at given "
        "frames."
    ),
    "statement": "A signed sentence: a person reviewed, approved, rejected or released a run. It is bound to hashes.",
    "sign-off": "The steps reviewed, approved, released, in this order.",
    "four-eyes rule": (
        "Reviewer, approver and the person who started the run must be different people, as the policy "
        "says."
    ),
    "audit log": "The append-only log of everything that matters, each entry bound to the one before by its hash.",
    "leak check": "A search of an output for faces that still show.",
    "finding": "One result of the leak check. A person judges it: a leak, or no face, or allowed.",
    "planted face": "A face that is composited into a copy of the source to count how many the detection finds.",
    "residual risk": "What may have been missed, estimated in several ways.",
    "certificate": "The signed document of a release. Anyone can check it without Veil.",
    "role": "What an account may do: operator, reviewer, approver, analyst, administrator.",
    "library": "Videos that were uploaded or imported into the data folder.",
    "queue": "Runs that wait for a worker.",
    "filmstrip": "The row of stills around the current frame.",
})  # fmt: skip


def show_glossary() -> None:
    """Show the words, in the order of the alphabet."""
    st.markdown("\n".join(f"- **{term.capitalize()}**: {GLOSSARY[term]}" for term in sorted(GLOSSARY)))
