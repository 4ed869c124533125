"""Reads what a decoded frame carries besides its samples."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame


def read_side_data(frame: VideoFrame) -> dict[Type, bytes]:
    """Return the bytes of each kind of side data; of several of one kind, the last.

    The result is empty if the frame has a kind that PyAV does not know, such as the Exif data of a photograph, for
    which `VideoFrame.rotation` still gives the rotation.
    """
    # PyAV frees the notes of an ICC profile (its name, in a PNG) although they belong to the frame, which ends the
    # process. A filter takes the profile out of a second reference to the picture; no sample is copied.
    frame = _without_colour_profile(frame)
    # PyAV raises for a kind it has no name for, and then gives none of the others either.
    try:
        entries: Any = frame.side_data  # PyAV's stub declares a mapping of names
    except ValueError:
        return {}
    return {entry.type: bytes(entry) for entry in entries}


def _without_colour_profile(frame: VideoFrame) -> VideoFrame:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    setter = graph.add("sidedata", "mode=delete:type=ICC_PROFILE")
    sink = graph.add("buffersink")
    source.link_to(setter)
    setter.link_to(sink)
    graph.configure()
    graph.push(frame)
    plain = graph.pull()
    assert isinstance(plain, VideoFrame)
    return plain
