"""Makers of files with one unusual property each; what FFmpeg cannot write is patched into its output."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from PIL import Image, ImageCms

from tests import clips
from tests.footage_matrix.laws import SECRET

_TITLE = ("-metadata", f"title={SECRET}")
FRAMES = 6


def make(path: Path, **options: object) -> Path:
    """A clip of six frames with a title; see `clips.video` for the options."""
    defaults: dict[str, object] = {"size": (64, 48), "frames": FRAMES, "audio": [clips.Audio()]}
    extra: Sequence[str] = options.pop("options", ())  # type: ignore[assignment]
    return clips.video(path, **(defaults | options), options=[*extra, *_TITLE])  # type: ignore[arg-type]


def remux(path: Path, before: Sequence[str], after: Sequence[str], **options: object) -> Path:
    """A clip that FFmpeg copies with some options before its input and some after it."""
    plain = make(path.with_name(f"plain{path.suffix}"), **options)
    clips.ffmpeg(*before, "-i", plain, "-map", "0", "-c", "copy", *after, path)
    plain.unlink()
    return path


def make_variable_rate(path: Path) -> None:
    make(path, rate="30", filters="select='mod(n\\,3)'", options=["-fps_mode", "passthrough"])


def make_trimmed(path: Path, start: float = 1.2) -> None:
    whole = clips.video(path.with_name("whole.mp4"), size=(64, 48), frames=50, audio=[clips.Audio(rate=48000)],
                        options=["-g", "10", "-bf", "0", *_TITLE])  # fmt: skip
    clips.trimmed(path, whole, start=start, seconds=0.4)
    whole.unlink()


def make_cropped(path: Path) -> None:
    whole = make(path.with_name("whole.mp4"), size=(96, 64))
    clips.cropped(path, whole, left=16, top=8, right=16, bottom=8)
    whole.unlink()


def make_interlaced(path: Path) -> None:
    make(path, frames=4, rate="50", filters="tinterlace=interleave_top",
         options=["-flags", "+ilme+ildct", "-x264-params", "tff=1"])  # fmt: skip


def make_hevc(path: Path, pixels: str, transfer: str = "", params: str = "") -> None:
    colours = f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv" if transfer else ""
    make(path, codec="libx265", pixel_format=pixels, filters=colours,
         options=["-preset", "ultrafast", "-x265-params", f"log-level=error:pools=1{params}"])  # fmt: skip


def make_dolby_vision(path: Path) -> None:
    """HEVC whose sample description has the box of Dolby Vision, profile 8.4."""
    plain = path.with_name("plain.mp4")
    make_hevc(plain, "yuv420p10le", "arib-std-b67")
    data = bytearray(plain.read_bytes())
    box = struct.pack(">I4s", 32, b"dvvC") + bytes((1, 0, 8 << 1, 1 << 3 | 5, 4 << 4)) + bytes(19)
    place, position = data.find(b"hvcC") - 4, 0
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hev1"):
        position = data.find(name, position)
        (size,) = struct.unpack(">I", data[position - 4 : position])
        data[position - 4 : position] = struct.pack(">I", size + len(box))
    data[place:place] = box
    path.write_bytes(data)
    plain.unlink()


def make_with_data_track(path: Path) -> None:
    """A camera's telemetry beside the video: places, in a data track."""
    plain, places = make(path.with_name(f"plain{path.suffix}")), path.with_suffix(".places")
    places.write_text(f"GPS 52.5 13.4 {SECRET}\n" * 20, encoding="utf-8")
    clips.ffmpeg("-i", plain, "-f", "data", "-i", places, "-map", "0", "-map", "1", "-c", "copy", path)


def make_several_videos(path: Path) -> None:
    one, two = make(path.with_name(f"one{path.suffix}")), make(path.with_name(f"two{path.suffix}"), size=(32, 32))
    clips.ffmpeg("-i", one, "-i", two, "-map", "0", "-map", "1:v", "-c", "copy", path)


def make_with_words(path: Path) -> None:
    """Subtitles and a chapter."""
    words = path.with_suffix(".srt")
    words.write_text(f"1\n00:00:00,000 --> 00:00:00,200\n{SECRET}\n", encoding="utf-8")
    chapters = path.with_suffix(".ffmeta")
    chapters.write_text(
        f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle={SECRET}\n", encoding="utf-8"
    )
    plain = make(path.with_name(f"plain{path.suffix}"))
    kind = "mov_text" if path.suffix == ".mp4" else "srt"
    clips.ffmpeg("-i", plain, "-i", words, "-i", chapters, "-map_chapters", "2", "-map", "0", "-map", "1",
                 "-c", "copy", "-c:s", kind, path)  # fmt: skip


def make_with_cover(path: Path) -> None:
    cover = path.with_suffix(".png")
    clips.ffmpeg("-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", "1", "-update", "1", cover)
    plain = make(path.with_name(f"plain{path.suffix}"))
    clips.ffmpeg("-i", plain, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic",
                 path)  # fmt: skip


def make_with_captions(path: Path) -> None:
    """H.264 with words in its own messages (SEI), as captions and encoders put them there."""
    text = f"086f3693-b7b3-4f2c-9653-21492feee5b8+{SECRET.replace(' ', '')}"
    remux(path, [], ["-bsf:v", f"h264_metadata=sei_user_data={text}"])


def make_unreadable_audio(path: Path) -> None:
    """An MP4 file whose audio has the name of a codec that FFmpeg does not know, as spatial audio of phones."""
    plain = make(path.with_name("plain.mp4"))
    path.write_bytes(plain.read_bytes().replace(b"mp4a", b"apac"))
    plain.unlink()


def make_repeated_stamps(path: Path) -> None:
    make(path, codec="mjpeg", pixel_format="yuvj420p", audio=(),
         options=["-bsf:v", "setts=ts=TS-if(eq(mod(N\\,3)\\,2)\\,0.04/TB\\,0)"])  # fmt: skip


def make_clock_restart(path: Path) -> None:
    part = clips.video(path.with_name("part.ts"), size=(64, 48), frames=50)
    path.write_bytes(part.read_bytes() * 2)


def make_left_out_frame(path: Path) -> None:
    plain = make(path.with_name("plain.nut"), codec="mjpeg", pixel_format="yuvj420p", audio=())
    with av.open(str(plain)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            copy = Packet(b"" if number == 2 else bytes(packet))
            copy.pts, copy.dts, copy.time_base, copy.is_keyframe, copy.stream = (
                packet.pts, packet.dts, packet.time_base, True, stream
            )  # fmt: skip
            target.mux(copy)
    plain.unlink()


def make_size_change(path: Path) -> None:
    parts = [clips.video(path.with_name(f"{width}.ivf"), size=(width, 48), frames=4, codec="libvpx")
             for width in (64, 96)]  # fmt: skip
    whole = path.with_name("whole.ivf")
    whole.write_bytes(parts[0].read_bytes() + parts[1].read_bytes()[32:])
    clips.ffmpeg("-i", whole, "-c", "copy", "-bsf:v", "setts=ts=N/25/TB", path)


def make_format_change(path: Path) -> None:
    parts = [clips.video(path.with_name(f"{pixels}.h264"), size=(64, 48), frames=4, pixel_format=pixels,
                         options=["-bf", "0"]) for pixels in ("yuv420p", "yuv422p")]  # fmt: skip
    whole = path.with_name("whole.h264")
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    clips.ffmpeg("-i", whole, "-c", "copy", "-bsf:v", "setts=ts=N/25/TB", path)


def make_audio_change(path: Path) -> None:
    """A transport stream whose audio becomes stereo on the way, as a broadcast's does between two programmes."""
    parts = [make(path.with_name(f"{channels}.ts"), audio=[clips.Audio(channels=channels)],
                  options=["-bf", "0", "-output_ts_offset", str(channels)]) for channels in (1, 2)]  # fmt: skip
    path.write_bytes(b"".join(part.read_bytes() for part in parts))


def make_sound_with_cover(path: Path) -> None:
    cover = path.with_suffix(".png")
    clips.ffmpeg("-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", "1", "-update", "1", cover)
    clips.ffmpeg("-f", "lavfi", "-i", "sine=duration=0.3", "-i", cover, "-map", "0", "-map", "1", "-c:v", "copy",
                 "-disposition:v", "attached_pic", path)  # fmt: skip


def make_aspect_change(path: Path) -> None:
    parts = [clips.video(path.with_name(f"{place}.m2v"), size=(64, 48), frames=4, codec="mpeg2video",
                         filters=f"setdar={ratio}") for place, ratio in enumerate(("4/3", "16/9"))]  # fmt: skip
    whole = path.with_name("whole.m2v")
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    clips.ffmpeg("-i", whole, "-c", "copy", "-bsf:v", "setts=ts=N/25/TB", path)


def make_truncated(path: Path, share: float) -> None:
    whole = make(path.with_name(f"whole{path.suffix}"), frames=20)
    clips.truncated(path, whole, share=share)
    whole.unlink()


def make_packet_loss(path: Path) -> None:
    """A transport stream without one of its packets, from the middle of a picture."""
    whole = clips.video(path.with_name("whole.ts"), size=(128, 96), frames=12, options=["-bf", "0", "-g", "6"])
    data = whole.read_bytes()
    parts = [data[place : place + 188] for place in range(0, len(data), 188)]
    place = next(place for place, part in enumerate(parts[40:], 40) if not part[1] & 0x40 and not part[3] & 0x20)
    path.write_bytes(b"".join(parts[:place] + parts[place + 1 :]))
    whole.unlink()


def make_encrypted(path: Path) -> None:
    key = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 31 + "1", "-encryption_kid", "0" * 31 + "2"]
    remux(path, [], key)


def _draw() -> Image.Image:
    rows, columns = np.mgrid[0:48, 0:64]
    stripes = 60 * ((rows // 3 + columns // 3) % 2)
    return Image.fromarray(
        np.stack((rows * 4 + stripes, columns * 3 + stripes, 255 - rows * 2 - columns), axis=2).astype(np.uint8)
    )


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E], exif[0x0110] = SECRET, "Camera"
    return exif


def make_photograph(path: Path, mode: str = "RGB", *, turned: bool = False) -> None:
    """A photograph with Exif, and with an ICC profile where the format has one."""
    exif = _exif()
    if turned:
        exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = _draw().convert(mode)
    match path.suffix:
        case ".jpg":
            picture.save(path, exif=exif, icc_profile=profile, quality=95)
        case ".png":
            picture.save(path, exif=exif, icc_profile=profile)
        case ".avif":
            picture.save(path, exif=exif, icc_profile=profile, quality=95, subsampling="4:4:4", speed=10)
        case ".webp":
            picture.save(path, exif=exif, icc_profile=profile, lossless=True)
        case ".tiff":
            picture.save(path, exif=exif, icc_profile=profile)
        case _:
            picture.save(path)


def make_animation(path: Path) -> None:
    pictures = [_draw().rotate(90 * turn, expand=False) for turn in range(4)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)


def make_deep_png(path: Path) -> None:
    samples = (np.arange(48 * 64, dtype=np.uint16) * 16).reshape(48, 64)
    Image.fromarray(samples).save(path)


def make_heic(path: Path) -> None:
    """The head of a photograph as phones write it; Veil must say a sentence about it."""
    item = make(path.with_name("plain.mp4"), frames=1, audio=(), codec="libx265",
                options=["-preset", "ultrafast", "-x265-params", "log-level=error"])  # fmt: skip
    path.write_bytes(struct.pack(">I4s4sI4s", 24, b"ftyp", b"heic", 0, b"mif1") + b"heic" + item.read_bytes()[-400:])
    item.unlink()
