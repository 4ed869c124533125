"""Versions of the libraries that decide an output's bytes."""

from __future__ import annotations

from importlib.metadata import version

import av


def read_library_versions() -> dict[str, str]:
    """Return the versions of PyAV, its FFmpeg libraries, FFmpeg's command line, and the libraries that draw masks."""
    own = {name: ".".join(map(str, av.library_versions[name])) for name in ("libavcodec", "libavformat", "libswscale")}
    packages = {name: version(name) for name in ("imageio-ffmpeg", "numpy", "opencv-python")}
    return {"av": av.__version__, **packages, **own}
