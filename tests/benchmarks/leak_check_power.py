"""How many missing masks the leak check finds: `python -m tests.benchmarks.leak_check_power WORK CLIP... [--seed N]`.

Each clip is detected and rendered once; record and output are kept in the folder WORK. Without `--seed` the untouched
outputs are checked: every finding is printed. With it, masks are drawn by lot from all clips together and taken out of
the outputs. Each output is checked twice: by the record that still has those masks ("kept"), and by one that lacks
them too ("lost"). A mask is one face through a run of frames, `--length LEAST MOST` of them.

What is no leak is not drawn: a face that the masks which stay cover by half or more in any frame of the run. How many
draws were thrown away for that is printed. A finding counts when most of the detector's box lies in the mask's box.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.assurance.leak_check.check import check_leaks
from engine.detection.detect import detect
from engine.evaluation.coverage import measure_hidden_share
from engine.masking.presets import style_from_preset
from engine.media.source.probe import probe
from engine.record import DetectOptions, Face, Record, read_record
from engine.rendering.render import render

COVERED = 0.5
"""Share of a face's box under masks that stay, from which its own mask is not missed."""
APART = 30
"""Frames between two draws of one clip, so that each stands for itself."""


class Clip(NamedTuple):
    source: Path
    record: Record
    kept: Path
    output: Path


class Draw(NamedTuple):
    clip: str
    start: int
    stop: int
    track: int


def clip_of(source: Path, work: Path, mode: str) -> Clip:
    """The clip with its record and output, made where they are missing."""
    kept = work / f"{source.name}.{mode}.json"
    record = read_record(kept) if kept.exists() else detect(source, kept, DetectOptions(mode=mode), data=work / "data")
    found = next(work.glob(f"{source.name}.{mode}.m[kp][v4]"), None)
    if found is None:
        found = work / f"{source.name}.{mode}{suffix(source)}"
        render(source, record, found)
    return Clip(source, record, kept, found)


def suffix(source: Path) -> str:
    return source.suffix if source.suffix == ".mp4" else ".mkv"


def face_of(record: Record, index: int, track: int) -> Face | None:
    return next((face for face in record.frames[index].faces if face.track == track), None)


def visible(record: Record, index: int, track: int) -> bool:
    """Whether most of the face shows when its mask, and no other, is taken away."""
    others = [face.box for face in record.frames[index].faces if face.track != track]
    face = face_of(record, index, track)
    return face is not None and (
        measure_hidden_share(face.box, others, record.source.video.orientation, style_from_preset()) < COVERED
    )


def drawn(clips: dict[str, Clip], lot: random.Random, number: int, lengths: tuple[int, int]) -> tuple[list[Draw], int]:
    """Masks drawn by lot, and how many draws were thrown away because the face would stay covered."""
    faces = [
        (name, frame.index, face.track)
        for name, clip in sorted(clips.items())
        for frame in clip.record.frames
        for face in frame.faces
        if face.origin == "detected"
    ]
    lot.shuffle(faces)
    draws: list[Draw] = []
    covered = 0
    for name, start, track in faces:
        stop = start + lot.randint(*lengths)
        record = clips[name].record
        if stop > len(record.frames) or any(face_of(record, at, track) is None for at in range(start, stop)):
            continue
        if any(one.clip == name and one.start - APART <= stop and start <= one.stop + APART for one in draws):
            continue
        if not all(visible(record, at, track) for at in range(start, stop)):
            covered += 1
            continue
        draws.append(Draw(name, start, stop, track))
        if len(draws) == number:
            break
    return draws, covered


def without(record: Record, draws: list[Draw]) -> Record:
    """The record without the drawn masks."""
    frames = []
    for frame in record.frames:
        gone = {one.track for one in draws if one.start <= frame.index < one.stop}
        faces = tuple(face for face in frame.faces if face.track not in gone)
        frames.append(msgspec.structs.replace(frame, faces=faces))
    return msgspec.structs.replace(record, frames=tuple(frames))


def tampered(clips: dict[str, Clip], options: argparse.Namespace) -> None:
    draws, covered = drawn(clips, random.Random(options.seed), options.draws, tuple(options.length))
    counts = {"kept": 0, "lost": 0}
    for name in sorted({one.clip for one in draws}):
        clip, mine = clips[name], [one for one in draws if one.clip == name]
        bad = without(clip.record, mine)
        out = options.work / f"tampered-{options.mode}-{options.seed}-{clip.source.name}{suffix(clip.source)}"
        render(clip.source, bad, out)
        for case, record in (("kept", clip.record), ("lost", bad)):
            report = check_leaks(clip.source, record, out, data=options.work / "data")
            used = set()
            for one in mine:
                leaks = [leak for leak in report.leaks if matches(leak, one, clip.record)]
                used |= {leak.key for leak in leaks}
                counts[case] += bool(leaks)
                face = face_of(clip.record, one.start, one.track)
                tell(
                    case=case, **one._asdict(), side=round(face.box.width),
                    score=max(seen.score for seen in face.evidence),
                    found=sorted({f"{leak.kind} {leak.detector}" for leak in leaks}),
                )  # fmt: skip
            tell_findings(report, besides=used)
    tell(mode=options.mode, seed=options.seed, length=options.length, draws=len(draws), covered=covered, **counts)


def matches(leak: object, draw: Draw, record: Record) -> bool:
    for glimpse in leak.seen:
        face = face_of(record, glimpse.frame, draw.track) if draw.start <= glimpse.frame < draw.stop else None
        if face is not None and face.box.intersection_area(glimpse.box) > glimpse.box.area / 2:
            return True
    return False


def untouched(clips: dict[str, Clip], options: argparse.Namespace) -> None:
    findings, seconds = 0, 0.0
    for name, clip in sorted(clips.items()):
        before = time.perf_counter()
        report = check_leaks(clip.source, clip.record, clip.output, data=options.work / "data")
        spent = time.perf_counter() - before
        video = probe(clip.source).video
        pts = [frame.pts for frame in clip.record.frames]
        lasts = video.to_seconds(pts[-1]) - video.to_seconds(pts[0])
        findings, seconds = findings + len(report.leaks), seconds + lasts
        tell(clip=name, lasts=round(lasts, 2), spent=round(spent, 2),
             **msgspec.structs.asdict(report.looked))  # fmt: skip
        tell_findings(report, besides=set())
    tell(mode=options.mode, clips=len(clips), findings=findings, minutes=round(seconds / 60, 2))


def tell_findings(report: object, besides: set[str]) -> None:
    for certain, leaks in ((True, report.leaks), (False, report.doubtful)):
        for leak in leaks:
            if leak.key not in besides:
                tell(finding=leak.finding, key=leak.key, box=tuple(leak.box.pixels()), doubtful=not certain)


def tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.leak_check_power", description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--mode", default="on-prem")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--length", type=int, nargs=2, default=(5, 15), metavar=("LEAST", "MOST"))
    options = parser.parse_args(arguments)
    clips = {source.name: clip_of(source, options.work, options.mode) for source in options.clips}
    (untouched if options.seed is None else tampered)(clips, options)


if __name__ == "__main__":
    main(sys.argv[1:])
