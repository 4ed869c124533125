"""Chooses the encoder and all options that decide an output's bytes, from the source and the settings alone.

Thread counts are part of the settings, libx264 computes independently of the CPU, and libx265 writes nothing about the
CPU into the stream. So the same pictures, time stamps and settings give the same bytes on any x86-64 CPU with any
number of cores.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

import msgspec

from engine.core.picture import PixelFormat
from engine.media.output.encoder_format import EncoderFormat, choose_encoder_format
from engine.record import Document, VideoFacts, format_ratio

FieldOrder = Literal["progressive", "tt", "bb", "tb", "bt"]
EncoderPreset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]

FINEST_TICK_S = Fraction(1, 100_000_000)
"""Finest tick of an intermediate file. MOV holds 2^31 - 1 ticks between two frames, here 21 seconds."""

_FALLBACK_TICK_S = Fraction(1, 1_000_000)
_FALLBACK_RATE_FPS = Fraction(25)
_MAX_FRAMES_WITHOUT_B_FRAMES = 8


class EncoderSettings(Document, frozen=True):
    """Settings of the encoder; none of the values depends on the machine.

    Attributes:
        crf: constant rate factor; lower values give better pictures and larger files; 17 looks like the source.
        preset: libx264's trade of time against size.
        threads: frames encoded at once. The output depends on it, so it never follows the number of cores.
        keyframe_seconds: longest distance between keyframes.
        b_frames: most consecutive B-frames; None: as the preset says. AVI needs 0.
    """

    crf: Annotated[float, msgspec.Meta(ge=0.0, le=51.0)] = 17.0
    preset: EncoderPreset = "veryfast"
    threads: Annotated[int, msgspec.Meta(ge=1, le=16)] = 4
    keyframe_seconds: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    b_frames: Annotated[int, msgspec.Meta(ge=0, le=16)] | None = None


class Signal(Document, frozen=True):
    """Declarations of a source about its pictures besides `VideoFacts`; None if it declares nothing.

    Attributes:
        chroma_location: FFmpeg's name, such as `left` or `topleft`.
        field_order: FFmpeg's two letters; anything but "progressive" keeps the picture interlaced.
        mastering_display: in x265's notation, `G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)`.
        content_light: MaxCLL and MaxFALL in cd/m2.
    """

    chroma_location: str | None = None
    field_order: FieldOrder | None = None
    mastering_display: str | None = None
    content_light: tuple[int, int] | None = None

    @property
    def interlaced(self) -> bool:
        """Return whether a frame holds two fields of different times."""
        return self.field_order not in {None, "progressive"}


EMPTY_SIGNAL = Signal()


class Encoding(Document, frozen=True):
    """An encoder with its options by FFmpeg's names, which are the same for PyAV and for FFmpeg's command line.

    Attributes:
        codec: "h264" or "hevc".
        encoder: FFmpeg's name, such as `libx264`.
        pixel_format: pixel format of the encoder's input.
        tick: seconds that a pts unit of the intermediate file lasts.
        fields: order of the fields of interlaced frames, "tff" or "bff"; None: frames are encoded whole.
    """

    codec: str
    encoder: str
    pixel_format: str
    tick: str
    fields: Literal["tff", "bff"] | None
    options: dict[str, str]

    @property
    def ffmpeg_args(self) -> list[str]:
        """Return the FFmpeg command-line arguments for an output that mean the same."""
        options = [part for name, value in self.options.items() for part in (f"-{name}", value)]
        timing = ["-fps_mode", "passthrough", "-enc_time_base", self.tick]
        return ["-c:v", self.encoder, "-pix_fmt", self.pixel_format, *options, *timing]


def plan_encoding(
    video: VideoFacts, pixels: PixelFormat, settings: EncoderSettings, signal: Signal = EMPTY_SIGNAL
) -> Encoding:
    """Choose encoder, pixel format and options for a source; the result depends on the arguments alone.

    Raises:
        RenderError: no encoder takes such samples.
    """
    carrier = choose_encoder_format(pixels, video.coded)
    fields = _choose_field_order(carrier, signal)
    library = _x265_options(settings, signal) if carrier.codec == "hevc" else _x264_options(settings, signal, fields)
    options = {
        "preset": settings.preset,
        "crf": f"{settings.crf:g}",
        "g": str(max(1, round(choose_encoder_rate(video) * settings.keyframe_seconds))),
        "threads": str(settings.threads),
        "thread_type": "frame",
        **_b_frame_options(video, carrier, settings),
        **({} if fields is None else {"flags": "+ildct+ilme"}),
        **_signal_options(video, pixels, signal),
        **library,
    }
    tick = format_ratio(choose_mov_tick(Fraction(video.time_base)))
    return Encoding(carrier.codec, carrier.encoder, carrier.pixel_format, tick, fields, options)


def plan_ffmpeg_args(
    settings: EncoderSettings, video: VideoFacts, pixels: PixelFormat, signal: Signal = EMPTY_SIGNAL
) -> list[str]:
    """Return FFmpeg command-line arguments with the settings that `VideoWriter` uses.

    Raises:
        RenderError: no encoder takes such samples.
    """
    return plan_encoding(video, pixels, settings, signal).ffmpeg_args


def choose_mov_tick(time_base: Fraction) -> Fraction:
    """Return the seconds a pts unit of the intermediate file lasts: one over the time base's denominator.

    A time base finer than a MOV file can use, such as nanoseconds, becomes microseconds.
    """
    tick = Fraction(1, time_base.denominator)
    return tick if tick >= FINEST_TICK_S else _FALLBACK_TICK_S


def choose_encoder_rate(video: VideoFacts) -> Fraction:
    """Return the frame rate for rate control: the declared one, or a fallback if that is implausible."""
    rate = Fraction(video.declared_rate) if video.declared_rate else _FALLBACK_RATE_FPS
    return rate if 1 <= rate <= 300 else _FALLBACK_RATE_FPS


def _b_frame_options(video: VideoFacts, carrier: EncoderFormat, settings: EncoderSettings) -> dict[str, str]:
    # In a clip shorter than its reordering, libx265 sets decoding times from uninitialised memory.
    allowed = 0 if carrier.codec == "hevc" and video.frames <= _MAX_FRAMES_WITHOUT_B_FRAMES else settings.b_frames
    return {} if allowed is None else {"bf": str(allowed)}


def _signal_options(video: VideoFacts, pixels: PixelFormat, signal: Signal) -> dict[str, str]:
    declared = "pc" if pixels.full_range else video.colour.range
    # RGB samples have no matrix, whatever the source is tagged with: players would take them for YUV. And a tag for RGB
    # on other samples, as some FLV files have it, is refused by encoders.
    matrix = video.colour.matrix if video.colour.matrix != "gbr" else None
    matrix = "rgb" if pixels.planes == "gbr" else matrix
    tags = {
        "color_range": declared,
        "colorspace": matrix,
        "color_primaries": video.colour.primaries,
        "color_trc": video.colour.transfer,
        "chroma_sample_location": signal.chroma_location,
        "field_order": signal.field_order,
    }
    return {name: value for name, value in tags.items() if value is not None}


def _choose_field_order(carrier: EncoderFormat, signal: Signal) -> Literal["tff", "bff"] | None:
    """Return the order in which the encoder codes fields, or None if it codes whole frames."""
    # libx264 codes fields only if their chroma rows pair up; libx265 takes fields only as separate pictures.
    if not signal.interlaced or carrier.codec != "h264" or carrier.size.height % 4 != 0:
        return None
    return "tff" if signal.field_order in {"tt", "tb"} else "bff"


def _x264_options(settings: EncoderSettings, signal: Signal, fields: str | None) -> dict[str, str]:
    parameters = {
        # Without it the output differs between CPU generations.
        "cpu-independent": "1",
        # The output depends on thread counts, and the default follows the number of cores.
        "lookahead-threads": str(max(1, settings.threads // 2)),
        "sliced-threads": "0",
        "opencl": "0",
        "open-gop": "0",
        **({} if fields is None else {fields: "1"}),
        **_hdr_options(signal, "mastering-display", "cll"),
    }
    return {"x264-params": _join_parameters(parameters)}


def _x265_options(settings: EncoderSettings, signal: Signal) -> dict[str, str]:
    parameters = {
        # The info message holds the CPU's features, so it would differ between machines.
        "info": "0",
        "pools": str(settings.threads),
        "frame-threads": "2",
        "open-gop": "0",
        "log-level": "error",
        **_hdr_options(signal, "master-display", "max-cll"),
    }
    return {"x265-params": _join_parameters(parameters)}


def _hdr_options(signal: Signal, display: str, light: str) -> dict[str, str]:
    parameters = {}
    if signal.mastering_display is not None:
        parameters[display] = signal.mastering_display
    if signal.content_light is not None:
        parameters[light] = "{},{}".format(*signal.content_light)
    return parameters


def _join_parameters(parameters: dict[str, str]) -> str:
    return ":".join(f"{name}={value}" for name, value in parameters.items())
