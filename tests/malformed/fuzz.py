"""Feed Veil malformed documents and videos: `python -m tests.malformed.fuzz --documents 6000 --videos 4000`.

Each case spoils a document of an installation, or a tiny video or still, and does with it what a person would. No case
may end in a traceback, a signal, a hang over 60 s or the use of more than 2 GiB. The seed is printed; `--keep FOLDER`
keeps what failed, `--first` begins at a later case. The folder `corpus` has what once failed; it is tried first.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.malformed.documents import DocumentFuzz, make_installation
from tests.malformed.runner import Outcome, run_cases
from tests.malformed.videos import VideoFuzz, make_seeds

_PART = 100
"""Cases of one process."""
_CORPUS = Path(__file__).parent / "corpus"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class CorpusFuzz:
    """Examines the files that once failed, in every way: a document by its name, a video by its suffix."""

    def __init__(self, documents: DocumentFuzz, videos: VideoFuzz) -> None:
        self._documents, self._videos = documents, videos
        self.paths = sorted(_CORPUS.iterdir())

    def spoil(self, number: int) -> tuple[str, bytes]:
        """Return the name and the bytes of a case."""
        return self.paths[number].name, self.paths[number].read_bytes()

    def examine(self, number: int) -> str:
        """Examine a case; as the other two."""
        name, data = self.spoil(number)
        if commands := self._documents.find_commands(name):
            return self._documents.examine_bytes(name, data, commands)
        answers = [
            self._videos.examine_bytes(name, data, covers_damage=covers, plays=not covers, renders=True)
            for covers in (False, True)
        ]
        return "; ".join(answers)


_Fuzz = DocumentFuzz | VideoFuzz | CorpusFuzz


def _run(name: str, fuzz: _Fuzz, numbers: range, work: Path, keep: Path | None) -> list[Outcome]:
    failed, peak, longest, kinds, start = [], 0, 0.0, Counter[str](), time.monotonic()
    done = 0
    for first in range(numbers.start, numbers.stop, _PART):
        part = range(first, min(first + _PART, numbers.stop))
        for outcome in run_cases(fuzz.examine, part, work / "log"):
            done += 1
            peak, longest = max(peak, outcome.peak_bytes), max(longest, outcome.seconds)
            kinds[_classify(outcome)] += 1
            if outcome.problem:
                failed.append(outcome)
                _say(f"{name} {outcome.number}: {outcome.problem}\n    {outcome.answer[-600:]}")
                if keep is not None:
                    _keep(fuzz, outcome, keep)
    minutes = (time.monotonic() - start) / 60
    _say(
        f"{done} {name}s in {minutes:.1f} min: {len(failed)} wrong; at most {longest:.1f} s and {peak >> 20} MiB each; "
        + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    )
    return failed


def _classify(outcome: Outcome) -> str:
    if outcome.problem:
        return "wrong"
    if "verify 3" in outcome.answer:
        return "rendered, check failed"
    if "verify 0" in outcome.answer:
        return "rendered"
    return "decoded" if ": decoded " in outcome.answer else "answered"


def _keep(fuzz: _Fuzz, outcome: Outcome, keep: Path) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    spoiled = fuzz.spoil(outcome.number)
    name = spoiled[0] if isinstance(spoiled[0], str) else Path(spoiled[0].path).name
    (keep / f"{outcome.number:05}-{name}").write_bytes(spoiled[1])
    with (keep / "problems.jsonl").open("a") as file:
        commands = list(spoiled[2]) if len(spoiled) > 2 else []
        file.write(json.dumps({"case": outcome.number, "problem": outcome.problem, "commands": commands}) + "\n")


def main() -> int:
    """Do what the module's docstring says; return 1 if a case failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=6000)
    parser.add_argument("--videos", type=int, default=4000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    _say(f"seed {options.seed}")
    failed: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="malformed-", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        documents = DocumentFuzz(make_installation(work / "original"), work, options.seed)
        videos = VideoFuzz(make_seeds(work / "seeds"), work, options.seed)
        corpus = CorpusFuzz(documents, videos)
        for name, fuzz, count in (
            ("known case", corpus, len(corpus.paths)),
            ("document", documents, options.documents),
            ("video", videos, options.videos),
        ):
            first = 0 if fuzz is corpus else options.first
            failed += _run(name, fuzz, range(first, first + count), work, options.keep)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
