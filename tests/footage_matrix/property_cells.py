"""Cells of everything else that footage can be."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests import clips
from tests.footage_matrix import property_makers as makers
from tests.footage_matrix.cells import Cell

_MUXERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi", ".ts": "mpegts"}
_NO_SOUND: dict[str, Any] = {"audio": ()}


def _cell(group: str, name: str, suffix: str, make: Any, **changes: Any) -> Cell:
    muxer = changes.pop("muxer", _MUXERS.get(changes.get("target") or suffix, "matroska"))
    return Cell(group, name, suffix, make, muxer=muxer, **changes)


def _clip(**options: Any) -> partial[Any]:
    return partial(makers.make, **options)


def _copy(before: list[str], after: list[str], **options: Any) -> partial[Any]:
    return partial(makers.remux, before=before, after=after, **options)


_TIMES = [
    _cell("Times", "variable frame rate", ".mp4", makers.make_variable_rate),
    _cell("Times", "variable frame rate", ".mkv", makers.make_variable_rate),
    _cell("Times", "23.976 frames/s", ".mp4", _clip(rate="24000/1001")),
    _cell("Times", "29.97 frames/s", ".mov", _clip(rate="30000/1001")),
    _cell("Times", "50 fields/s", ".mp4", makers.make_interlaced, note="stays interlaced"),
    _cell("Times", "240 frames/s", ".mp4", _clip(rate="240")),
    _cell("Times", "1 frame/s", ".mkv", _clip(rate="1", frames=3)),
    _cell("Times", "open GOP", ".ts", _clip(frames=12, options=["-x264-params", "open-gop=1:keyint=4:bframes=2"])),
    _cell("Times", "audio before the video", ".mkv", _copy(["-itsoffset", "-0.3"], [], audio=[clips.Audio(late=0.3)])),
    _cell("Times", "audio after the video", ".mp4", _clip(audio=[clips.Audio(late=0.1)])),
    _cell("Times", "late video", ".mp4", _copy([], ["-bsf:v", "setts=ts=TS+1/TB"])),
    _cell("Times", "clock of the day", ".mkv", _copy([], ["-output_ts_offset", "1700000000"]), note="starts at zero"),
    _cell("Times", "broadcast clock", ".ts", _copy([], ["-output_ts_offset", "3000"])),
    _cell("Times", "trimmed by edit list", ".mp4", makers.make_trimmed, note="what is cut off is left out",
          checks=frozenset({"times", "pictures"})),
    _cell("Times", "times of decoding", ".mp4", clips.decoding_stamps, note="given to the frames in order",
          notice="stores the times of decoding"),
    _cell("Times", "repeated time stamps", ".mkv", makers.make_repeated_stamps,
          note="moved by as little as possible", notice="not after the frame before",
          checks=frozenset({"pictures"})),
    _cell("Times", "edit list that leaves out the end", ".mp4", partial(makers.make_trimmed, start=0.0),
          checks=frozenset({"times", "pictures"})),
    _cell("Times", "a hole", ".mkv", _copy([], ["-bsf:v", "setts=ts=TS+if(gt(N\\,2)\\,5/TB\\,0)"], audio=(),
                                          options=["-bf", "0"])),
    _cell("Times", "clock that starts again", ".ts", makers.make_clock_restart, outcome="refused",
          sentence="starts its clock again in the middle"),
    _cell("Times", "frame that was left out", ".nut", makers.make_left_out_frame, outcome="converted", note="Matroska",
          target=".mkv"),
]  # fmt: skip

_SHAPES = [
    *(_cell("Shape", f"turned by {degrees} degrees", ".mp4", _copy(["-display_rotation", str(-degrees)], []))
      for degrees in (90, 180, 270)),
    _cell("Shape", "mirrored", ".mov", _copy(["-display_rotation", "90", "-display_hflip"], [])),
    _cell("Shape", "turned by 45 degrees", ".mp4", _copy(["-display_rotation", "45"], []), outcome="refused",
          sentence="only quarter turns can be anonymised"),
    _cell("Shape", "samples that are not square", ".mkv", _clip(filters="setsar=4/3")),
    _cell("Shape", "odd size", ".mkv", partial(clips.odd_size, frames=3), outcome="converted", pixels="yuv444p",
          note="H.264 4:4:4"),
    _cell("Shape", "16x16", ".mp4", _clip(size=(16, 16))),
    _cell("Shape", "7680x4320", ".mp4", _clip(
        size=(7680, 4320), frames=1, codec="mjpeg", pixel_format="yuvj420p", audio=(),
        filters="drawbox=t=fill:color=0x607080"), checks=frozenset({"times"})),
    _cell("Shape", "cropped by the container", ".mp4", makers.make_cropped, note="what is hidden stays hidden",
          checks=frozenset({"times", "audio", "starts"})),
    _cell("Shape", "size that changes", ".mkv", makers.make_size_change, outcome="refused",
          sentence="changes its picture size"),
    _cell("Shape", "format that changes", ".mkv", makers.make_format_change, outcome="refused",
          sentence="changes its pixel format"),
    _cell("Shape", "aspect ratio that changes", ".ts", makers.make_aspect_change, outcome="refused",
          sentence="changes its aspect ratio"),
]  # fmt: skip

_RGB = {"codec": "ffv1", "audio": ()}
_SAMPLES = [
    _cell("Samples", "4:2:2", ".mp4", _clip(pixel_format="yuv422p"), pixels="yuv422p"),
    _cell("Samples", "4:4:4", ".mp4", _clip(pixel_format="yuv444p"), pixels="yuv444p"),
    _cell("Samples", "4:1:1", ".avi", _clip(codec="rawvideo", pixel_format="yuv411p", **_NO_SOUND), pixels="yuv444p",
          outcome="converted", note="H.264 4:4:4"),
    _cell("Samples", "RGB", ".mkv", _clip(pixel_format="gbrp", **_RGB), pixels="gbrp"),
    _cell("Samples", "RGB with a YUV tag", ".mkv", _clip(pixel_format="bgr0", **_RGB, options=["-colorspace", "bt709"]),
          pixels="gbrp"),
    _cell("Samples", "grey", ".mkv", _clip(pixel_format="gray", **_RGB)),
    _cell("Samples", "alpha", ".mov", _clip(codec="prores_ks", pixel_format="yuva444p10le", audio=()),
          outcome="converted", note="HEVC 4:4:4 of 12 bits, without alpha", pixels="yuv444p12le"),
    _cell("Samples", "NV12", ".avi", _clip(codec="rawvideo", pixel_format="nv12", audio=())),
    _cell("Samples", "raw H.264", ".h264", _clip(audio=()), outcome="converted", note="Matroska", target=".mkv",
          checks=frozenset({"pictures"})),
    _cell("Samples", "raw pictures", ".y4m", _clip(codec="wrapped_avframe", audio=()), outcome="converted",
          note="Matroska", target=".mkv"),
    _cell("Samples", "10 bits", ".mp4", partial(makers.make_hevc, pixels="yuv420p10le"), pixels="yuv420p10le"),
    _cell("Samples", "12 bits", ".mp4", partial(makers.make_hevc, pixels="yuv422p12le"), pixels="yuv422p12le"),
    _cell("Samples", "16 bits", ".mkv", _clip(pixel_format="gray16le", **_RGB), outcome="refused",
          sentence="16 bits a sample"),
    _cell("Samples", "HLG", ".mp4", partial(makers.make_hevc, pixels="yuv420p10le", transfer="arib-std-b67"),
          pixels="yuv420p10le"),
    _cell("Samples", "PQ", ".mp4",
          partial(makers.make_hevc, pixels="yuv420p10le", transfer="smpte2084", params=":hdr10=1:max-cll=1000,400"),
          pixels="yuv420p10le"),
    _cell("Samples", "full range", ".mp4", _clip(pixel_format="yuvj420p")),
    _cell("Samples", "Dolby Vision", ".mp4", makers.make_dolby_vision, pixels="yuv420p10le",
          note="without Dolby Vision, as HLG"),
]  # fmt: skip

_STREAMS = [
    _cell("Streams", "several videos", ".mp4", makers.make_several_videos, note="one is rendered, the others dropped"),
    _cell("Streams", "several audio streams", ".mkv", _clip(audio=[clips.Audio(), clips.Audio(codec="flac")])),
    _cell("Streams", "MP3, to Matroska", ".mp4", _clip(audio=[clips.Audio(codec="libmp3lame")]), target=".mkv",
          outcome="converted", note="Matroska", checks=frozenset({"times", "pictures", "audio"})),
    _cell("Streams", "fragments with a short last packet", ".mp4", _clip(
        frames=12, options=["-t", "0.48", "-movflags", "frag_keyframe+empty_moov+delay_moov"]), note="in fragments",
          notice="written in fragments"),
    _cell("Streams", "audio of Blu-ray recorders", ".m2ts",
          _clip(audio=[clips.Audio(codec="pcm_bluray", channels=2, rate=48000)],
                options=["-mpegts_m2ts_mode", "1"]), muxer="mpegts"),
    _cell("Streams", "audio of broadcasters", ".ts",
          _clip(audio=[clips.Audio(codec="s302m", channels=2, rate=48000)], options=["-strict", "-2"])),
    _cell("Streams", "audio of DVD recorders", ".vob",
          _clip(codec="mpeg2video", audio=[clips.Audio(codec="pcm_dvd", channels=2, rate=48000)]), outcome="refused",
          sentence="nor can Matroska hold PCM DVD; convert that audio first"),
    _cell("Streams", "audio that becomes stereo", ".ts", makers.make_audio_change),
    _cell("Streams", "audio that becomes stereo, to MP4", ".ts", makers.make_audio_change, target=".mp4",
          outcome="refused", sentence="sample rate or channels change on the way; choose .ts"),
    _cell("Streams", "sound with a cover picture", ".m4a", makers.make_sound_with_cover, outcome="refused",
          sentence="has no video stream, only a cover picture and audio"),
    _cell("Streams", "audio that nothing decodes", ".mp4", makers.make_unreadable_audio, note="that audio is dropped",
          checks=frozenset({"times", "pictures"})),
    _cell("Streams", "cover picture", ".mp4", makers.make_with_cover, note="dropped"),
    _cell("Streams", "chapters and subtitles", ".mkv", makers.make_with_words, note="dropped"),
    _cell("Streams", "chapters and subtitles", ".mp4", makers.make_with_words, note="dropped"),
    _cell("Streams", "words in the video itself", ".mp4", makers.make_with_captions, note="dropped"),
    _cell("Streams", "time code", ".mov", _clip(options=["-timecode", "10:00:00:00"]), note="dropped"),
    _cell("Streams", "telemetry and places", ".ts", makers.make_with_data_track, note="dropped"),
]  # fmt: skip

_DAMAGE = [
    _cell("Damage", "encrypted", ".mp4", makers.make_encrypted, outcome="refused", sentence="encrypted"),
    _cell("Damage", "cut off, without its index", ".mp4", partial(makers.make_truncated, share=0.5), outcome="refused",
          sentence="its beginning or index is missing"),
    _cell("Damage", "cut off", ".mkv", partial(makers.make_truncated, share=0.7), outcome="refused",
          sentence="--on-damage cover"),
    _cell("Damage", "cut off, covered", ".mkv", partial(makers.make_truncated, share=0.7), on_damage="cover",
          note="damaged frames are covered whole", checks=frozenset()),
    _cell("Damage", "lost packets", ".ts", makers.make_packet_loss, outcome="refused", sentence="--on-damage cover"),
    _cell("Damage", "lost packets, covered", ".ts", makers.make_packet_loss, on_damage="cover",
          note="damaged frames are covered whole", checks=frozenset()),
    _cell("Damage", "recordings that were joined", ".ts", clips.joined),
]  # fmt: skip

_STILL: dict[str, Any] = {"outcome": "converted", "note": "a video of one frame", "target": ".mkv"}
_STILLS = [
    _cell("Stills", "JPEG with Exif and ICC", ".jpg", makers.make_photograph, **_STILL),
    _cell("Stills", "JPEG, turned by Exif", ".jpg", partial(makers.make_photograph, turned=True), **_STILL),
    _cell("Stills", "JPEG, CMYK", ".jpg", partial(makers.make_photograph, mode="CMYK"), pixels="gbrp", **_STILL),
    _cell("Stills", "JPEG, grey", ".jpg", partial(makers.make_photograph, mode="L"), **_STILL),
    _cell("Stills", "PNG with ICC", ".png", makers.make_photograph, pixels="gbrp", **_STILL),
    _cell("Stills", "PNG, palette", ".png", partial(makers.make_photograph, mode="P"), pixels="gbrp", **_STILL),
    _cell("Stills", "PNG of 16 bits", ".png", makers.make_deep_png, outcome="refused", sentence="16 bits a sample"),
    _cell("Stills", "WebP", ".webp", makers.make_photograph, pixels="gbrp", **_STILL),
    _cell("Stills", "WebP, animated", ".webp", makers.make_animation, outcome="refused",
          sentence="is encoded in a way FFmpeg cannot decode"),
    _cell("Stills", "AVIF", ".avif", makers.make_photograph, pixels="yuv444p", **_STILL),
    _cell("Stills", "PNG, animated", ".png", makers.make_animation, pixels="gbrp", **(_STILL | {"note": "Matroska"})),
    _cell("Stills", "TIFF", ".tiff", makers.make_photograph, pixels="gbrp", **_STILL),
    _cell("Stills", "BMP", ".bmp", makers.make_photograph, pixels="gbrp", **_STILL),
    _cell("Stills", "GIF, animated", ".gif", makers.make_animation, pixels="gbrp",
          **(_STILL | {"note": "Matroska"})),
    _cell("Stills", "HEIC", ".heic", makers.make_heic, outcome="refused", sentence="Export it as JPEG or PNG"),
]  # fmt: skip

PROPERTY_CELLS = [*_TIMES, *_SHAPES, *_SAMPLES, *_STREAMS, *_DAMAGE, *_STILLS]
