"""A clip in which a patch with texture moves over grey, and its record."""

from pathlib import Path

import msgspec

from engine.core.geometry import Box
from engine.review.apply import AmendedRecord
from tests import clips
from tests.record_makers import record_of

FRAMES = 30
CUT = 24
SIDE = 40


def place(index: int) -> Box:
    """Where the patch is: it moves two pixels to the right in every frame."""
    return Box(20 + 2 * index, 60, 20 + 2 * index + SIDE, 60 + SIDE)


def make_moving_clip(path: Path) -> Path:
    """Make the clip, 240x160, in one group of pictures."""
    checks = "geq=lum='128+110*sin(X/3)*cos(Y/4)':cb=128:cr=128"
    patch = f"color=0x808080:size={SIDE}x{SIDE}:rate=25,format=yuv420p,{checks}[patch]"
    overlay = "color=0x606060:size=240x160:rate=25[ground];[ground][patch]overlay=x='20+2*n':y=60"
    clips.ffmpeg(
        *("-f", "lavfi", "-i", f"{patch};{overlay}", "-frames:v", str(FRAMES), "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-qp", "10", "-threads", "1", "-g", "300", path),
    )
    return path


def amend_moving_clip(path: Path) -> AmendedRecord:
    """Its record without a face; frame 24 is a cut, and the patch is the same behind it."""
    return AmendedRecord(msgspec.structs.replace(record_of(path, lambda _: []), cuts=(CUT,)))
