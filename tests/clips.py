"""Makers of small real clips, shared by all tests: each writes one file and returns its path.

Everything is drawn by FFmpeg's own test sources through the binary that imageio-ffmpeg ships, so no test needs a file
from outside. The picture moves and carries a frame counter, so that no two frames are alike.
"""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


@dataclass(frozen=True)
class Audio:
    """A tone to be added to a clip.

    Attributes:
        codec: FFmpeg's encoder.
        rate: samples a second.
        channels: 1 or 2.
        pitch: of the sine, in Hz.
        late: seconds it starts after the video.
        language: three letters, or nothing.
    """

    codec: str = "aac"
    rate: int = 44100
    channels: int = 1
    pitch: int = 440
    late: float = 0.0
    language: str = ""


SMALL_AND_FEW = "scale=320:240:flags=lanczos,fps=10"
"""Filter for pictures that a browser and a server send each other: both encode and decode in software."""

_made: dict[tuple[str, ...], bytes] = {}
_MAX_KEPT_BYTES = 1 << 20


def ffmpeg(*arguments: str | Path) -> None:
    """Run FFmpeg quietly; its message becomes the error when it fails.

    What is made of test pictures and tones alone is made once in a process: most tests want one of a few clips.
    """
    *wanted, target = arguments
    path = Path(target)
    recipe = (*map(str, wanted), path.suffix)
    reads_files = any(
        isinstance(word, Path) or (following == "-i" and word != "lavfi")
        for word, following in zip(wanted, [*wanted[1:], ""], strict=True)
    )
    if not reads_files and recipe in _made:
        path.write_bytes(_made[recipe])
        return
    _run_ffmpeg(*arguments)
    if not reads_files and path.is_file() and path.stat().st_size <= _MAX_KEPT_BYTES:
        _made[recipe] = path.read_bytes()


def _run_ffmpeg(*arguments: str | Path) -> None:
    command = [FFMPEG, "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")


def video(
    path: Path,
    *,
    size: tuple[int, int] = (128, 96),
    frames: int = 25,
    rate: str = "25",
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    filters: str = "",
    audio: Sequence[Audio] = (),
    options: Sequence[str] = (),
) -> Path:
    """A clip of `frames` different pictures; `options` go to FFmpeg before the output's name.

    Filters see the test picture before it is converted to `pixel_format`.
    """
    seconds = frames / float(_number(rate))
    command: list[str | Path] = ["-f", "lavfi", "-i", f"testsrc2=size={size[0]}x{size[1]}:rate={rate}"]
    for tone in audio:
        command += ["-itsoffset", str(tone.late), "-f", "lavfi"]
        command += ["-i", f"sine=frequency={tone.pitch}:sample_rate={tone.rate}:duration={seconds}"]
    command += ["-map", "0:v"]
    for number, tone in enumerate(audio):
        command += ["-map", f"{number + 1}:a", f"-c:a:{number}", tone.codec, f"-ac:a:{number}", str(tone.channels)]
        if tone.language:
            command += [f"-metadata:s:a:{number}", f"language={tone.language}"]
    chain = f"{filters}," if filters else ""
    command += ["-vf", f"{chain}format={pixel_format}", "-frames:v", str(frames), "-c:v", codec]
    if codec == "libx264":
        command += ["-preset", "veryfast", "-threads", "1"]
    ffmpeg(*command, *options, path)
    return path


def repeated(path: Path, source: Path, times: int, *, filters: str = "null") -> Path:
    """A file played so often one after another. It is encoded once; the rest are copies of its packets."""
    once = path.with_name(f"once-{path.name}")
    ffmpeg("-i", source, "-vf", filters, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", once)
    ffmpeg("-stream_loop", str(times - 1), "-i", once, "-c", "copy", path)
    once.unlink()
    return path


def vfr(path: Path, *, size: tuple[int, int] = (128, 96), frames: int = 24) -> Path:
    """Frames at uneven distances: two of every three frames of a 30 frames/s clip."""
    return video(
        path,
        size=size,
        frames=frames,
        rate="30",
        filters="select='mod(n\\,3)'",
        options=["-fps_mode", "passthrough"],
    )


def b_frames(path: Path, *, frames: int = 30, audio: Sequence[Audio] = ()) -> Path:
    """H.264 with two B-frames between references and a keyframe every ten frames."""
    return video(path, frames=frames, audio=audio, options=["-bf", "2", "-g", "10", "-x264-params", "b-adapt=0"])


def decoding_stamps(path: Path, *, frames: int = 30) -> Path:
    """H.264 with B-frames whose presentation times are those of decoding, as old tools wrap raw streams."""
    ordered = b_frames(path.with_name(f"ordered-{path.name}"), frames=frames)
    ffmpeg("-i", ordered, "-c", "copy", "-bsf:v", "setts=ts=N/25/TB", path)
    ordered.unlink()
    return path


def joined(path: Path, *, frames: int = 12, gap_s: float = 0.2) -> Path:
    """Two recordings one after the other in a transport stream, every packet of both whole."""
    parts = []
    for place in range(2):
        part = video(path.with_name(f"{place}-{path.name}"), frames=frames, options=["-bf", "2", "-g", "6"])
        shifted = path.with_name(f"shifted-{part.name}")
        ffmpeg("-i", part, "-c", "copy", "-output_ts_offset", str(place * (frames / 25 + gap_s)), shifted)
        parts.append(shifted.read_bytes())
        part.unlink()
        shifted.unlink()
    path.write_bytes(b"".join(parts))
    return path


def turned(
    path: Path, *, degrees: float = 90, mirrored: bool = False, size: tuple[int, int] = (128, 96), frames: int = 10
) -> Path:
    """A clip whose display matrix turns it clockwise by `degrees`, mirrored left to right before if `mirrored`."""
    flat = video(path.with_name(f"flat-{path.name}"), size=size, frames=frames)
    flip = ["-display_hflip"] if mirrored else []
    ffmpeg("-display_rotation", str(-degrees), *flip, "-i", flat, "-c", "copy", path)
    flat.unlink()
    return path


def several_audio(path: Path, *, frames: int = 50) -> Path:
    """Video with an English mono and a German stereo track of different pitch and sample rate."""
    tracks = [Audio(language="eng"), Audio(rate=48000, channels=2, pitch=880, language="deu")]
    return video(path, frames=frames, audio=tracks)


def late_audio(path: Path, *, seconds: float = 0.4, frames: int = 50) -> Path:
    """Video whose audio starts after it."""
    return video(path, frames=frames, audio=[Audio(late=seconds)])


def silent(path: Path, *, frames: int = 25) -> Path:
    """Video without audio."""
    return video(path, frames=frames)


def ten_bit(path: Path, *, frames: int = 10) -> Path:
    """4:2:0 with ten bits a sample, H.264."""
    return video(path, frames=frames, pixel_format="yuv420p10le")


def chroma_422(path: Path, *, frames: int = 10) -> Path:
    """4:2:2, H.264."""
    return video(path, frames=frames, pixel_format="yuv422p")


def chroma_444(path: Path, *, frames: int = 10) -> Path:
    """4:4:4, H.264."""
    return video(path, frames=frames, pixel_format="yuv444p")


def cropped(path: Path, whole: Path, *, left: int, top: int, right: int, bottom: int) -> Path:
    """The H.264 in an MP4 file, with a clap box that hides so many samples at each side; `path` may be Matroska."""
    data = bytearray(whole.read_bytes())
    place = data.find(b"avcC") - 4
    box_start = data.find(b"avc1", data.find(b"stsd"))
    width, height = struct.unpack(">HH", data[box_start + 28 : box_start + 32])
    clap = struct.pack(
        ">I4s8i", 40, b"clap", width - left - right, 1, height - top - bottom, 1, left - right, 2, top - bottom, 2
    )
    position = 0
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        position = data.find(name, position)
        (size,) = struct.unpack(">I", data[position - 4 : position])
        data[position - 4 : position] = struct.pack(">I", size + len(clap))
    data[place:place] = clap
    box = path.with_name(f"box-{path.name}.mp4")
    box.write_bytes(data)
    ffmpeg("-i", box, "-map", "0", "-c", "copy", path)
    return path


def trimmed(path: Path, whole: Path, *, start: float, seconds: float) -> Path:
    """An MP4 file of which an edit list alone shows so many seconds from `start` on; every sample is still in it."""

    def boxes(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        offset = 0
        while offset < len(data):
            size, kind = struct.unpack(">I4s", data[offset : offset + 8])
            yield kind, data[offset : offset + size], data[offset + 8 : offset + size]
            offset += size

    def find(data: bytes, name: bytes) -> bytes:
        return next(body for kind, _, body in boxes(data) if kind == name)

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    def trim_track(track: bytes, movie_scale: int) -> bytes:
        (scale,) = struct.unpack(">I", find(find(track, b"mdia"), b"mdhd")[12:16])
        edit = struct.pack(">IIIiHH", 0, 1, int(seconds * movie_scale), int(start * scale), 1, 0)
        edits = box(b"edts", box(b"elst", edit))
        kept = (whole + edits * (kind == b"tkhd") for kind, whole, _ in boxes(track) if kind != b"edts")
        return box(b"trak", b"".join(kept))

    # The index lies behind the samples, so their offsets stay right.
    data = whole.read_bytes()
    index = find(data, b"moov")
    (movie_scale,) = struct.unpack(">I", find(index, b"mvhd")[12:16])
    tracks = (trim_track(body, movie_scale) if kind == b"trak" else whole for kind, whole, body in boxes(index))
    parts = [whole for kind, whole, _ in boxes(data) if kind != b"moov"]
    path.write_bytes(b"".join([*parts, box(b"moov", b"".join(tracks))]))
    return path


def odd_size(path: Path, *, frames: int = 10) -> Path:
    """127x93 pixels, 4:2:0 all the same; FFV1, because H.264 cannot hold odd sizes at 4:2:0."""
    return video(path, size=(128, 94), frames=frames, codec="ffv1", filters="format=yuv444p,crop=127:93:exact=1")


def anamorphic(path: Path, *, sar: str = "4/3", frames: int = 10) -> Path:
    """Samples that are not square."""
    return video(path, frames=frames, filters=f"setsar={sar}")


def interlaced(path: Path, *, frames: int = 10) -> Path:
    """H.264 with two fields a frame, top field first."""
    return video(
        path,
        frames=frames,
        rate="50",
        filters="tinterlace=interleave_top",
        options=["-flags", "+ilme+ildct", "-x264-params", "tff=1"],
    )


def hdr(path: Path, *, frames: int = 5) -> Path:
    """HEVC, ten bits, BT.2020 with PQ, mastering display and content light level."""
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    params = f"log-level=error:pools=1:frame-threads=1:hdr10=1:master-display={display}:max-cll=1000,400"
    return video(
        path,
        frames=frames,
        codec="libx265",
        pixel_format="yuv420p10le",
        filters="setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv",
        options=["-preset", "ultrafast", "-x265-params", params],
    )


def telling(path: Path, *, frames: int = 25) -> Path:
    """A clip that says where, when and with what it was taken, with a chapter, subtitles and a cover picture."""
    plain = video(path.with_name(f"plain-{path.name}"), frames=frames, audio=[Audio()])
    words = path.with_suffix(".srt")
    words.write_text("1\n00:00:00,000 --> 00:00:00,800\nMy name is Jane Doe\n", encoding="utf-8")
    chapters = path.with_suffix(".ffmeta")
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Ward 7\n", encoding="utf-8")
    cover = path.with_suffix(".png")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", "1", "-update", "1", cover)
    command: list[str | Path] = ["-i", plain, "-i", words, "-i", cover, "-i", chapters, "-map_chapters", "3"]
    command += [
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "2",
        "-c",
        "copy",
        "-c:s",
        "mov_text",
        "-disposition:v:1",
        "attached_pic",
    ]
    for tag in ("location=+52.5200+013.4050/", "creation_time=2024-05-06T07:08:09Z", "title=Jane Doe, visit 3"):
        command += ["-metadata", tag]
    ffmpeg(*command, path)
    for leftover in (plain, words, chapters, cover):
        leftover.unlink()
    return path


def sound_only(path: Path) -> Path:
    """A file without any video."""
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", path)
    return path


def truncated(path: Path, whole: Path, *, share: float = 0.5) -> Path:
    """The first `share` of another file's bytes."""
    data = whole.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])
    return path


def overwritten(path: Path, whole: Path, spans: Iterable[tuple[int, bytes]]) -> Path:
    """Another file with some bytes replaced, each span given by its offset and what to write there."""
    data = bytearray(whole.read_bytes())
    for offset, replacement in spans:
        data[offset : offset + len(replacement)] = replacement
    path.write_bytes(data)
    return path


def _number(rate: str) -> float:
    top, _, bottom = rate.partition("/")
    return float(top) / float(bottom or 1)


def png_with_profile(path: Path) -> Path:
    """A PNG of 16x8 pixels with a named ICC profile, as screenshots have one."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    # The header of an RGB display profile of version 4 without a single tag.
    profile = bytearray(132)
    profile[0:4], profile[8:12], profile[36:40] = struct.pack(">I", 132), b"\4\0\0\0", b"acsp"
    profile[12:24] = b"mntrRGB XYZ "
    rows = b"".join(b"\0" + bytes((40, 120, 200)) * 16 for _ in range(8))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 8, 8, 2, 0, 0, 0))
        + chunk(b"iCCP", b"Display\0\0" + zlib.compress(bytes(profile)))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path
