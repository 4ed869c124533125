"""Sources with audio of any kind, and samples as FFmpeg's command line gives them, without Veil."""

import subprocess

import av
import imageio_ffmpeg
import numpy as np

from engine.media.output.encoder import EncoderSettings
from engine.rendering.terms import RenderOptions
from tests import clips

RATE = 48000
FAST = EncoderSettings(preset="ultrafast")


def make_clip(path, codec, tones=((0.0, 1.5),), channels=2, options=()):
    """A clip of 1.4 seconds with a warbling tone for each (start, duration) in seconds."""
    command = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1.4"]
    for pitch, (start, seconds) in enumerate(tones):
        tone = f"aevalsrc='0.4*sin((900+{200 * pitch}*t)*t)|0.3*cos(1300*t)':s={RATE}:d={seconds}"
        command += ["-itsoffset", str(start), "-f", "lavfi", "-i", tone]
    for place in range(len(tones) + 1):
        command += ["-map", str(place)]
    frames = ["-bf", "0"] if path.suffix == ".avi" else []
    if codec == "flac":
        command += ["-sample_fmt", "s16"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", *frames, "-c:a", codec, "-ac", str(channels)]
    clips.ffmpeg(*command, *options, "-strict", "experimental", path)
    return path


def make_render_options(*spans):
    return RenderOptions(encoder=FAST, audio=spans)


def decode_samples(path, stream=0, kind="f32le", channels=2):
    """All samples of an audio stream, shape (samples, channels)."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", f"0:a:{stream}"]
    done = subprocess.run([*command, "-f", kind, "-"], capture_output=True, check=True)
    dtype = {"f32le": "<f4", "s16le": "<i2", "s32le": "<i4"}[kind]
    return np.frombuffer(done.stdout, dtype).reshape(-1, channels)


def read_first_sample_time(path, stream=0):
    """Seconds from the first video frame to the first decoded sample."""
    times = []
    for kind, place in (("audio", stream), ("video", 0)):
        with av.open(str(path)) as container:
            chosen = getattr(container.streams, kind)[place]
            times.append(next(frame.pts * frame.time_base for frame in container.decode(chosen)))
    return float(times[0] - times[1])
