"""Which libraries make an output's bytes."""

from __future__ import annotations

from importlib.metadata import version

import av


def library_versions() -> dict[str, str]:
    """Versions of PyAV and FFmpeg's libraries in it, and of the package that ships FFmpeg's command line."""
    own = {name: ".".join(map(str, av.library_versions[name])) for name in ("libavcodec", "libavformat", "libswscale")}
    return {"av": av.__version__, "imageio-ffmpeg": version("imageio-ffmpeg"), **own}
