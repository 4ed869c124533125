"""A still after masking is what a render hands to its encoder."""

import cv2
import numpy as np
import pytest

from engine.core.geometry import Box
from engine.masking.presets import PRESETS, style_from_preset
from engine.media.source.seek import SeekingReader
from engine.rendering.job import prepare_job
from engine.rendering.render import build_spec
from engine.rendering.still import StillOptions, encode_jpeg, render_still
from engine.rendering.terms import RenderOptions
from engine.review.plan import FramePlan, plan_frames
from tests import clips
from tests.record_makers import record_of

BOX = (30, 20, 80, 70)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_masked_still_is_the_renders_picture(tmp_path, preset):
    path = clips.turned(tmp_path / "a.mp4", size=(160, 128))
    record = record_of(path, lambda _: [BOX])
    options = RenderOptions(style=style_from_preset(preset))
    from engine.core.progress import SilentListener

    job = prepare_job(path, record, lambda info: build_spec(path, info, tmp_path / "o.mp4", options), SilentListener())
    with SeekingReader(path, record) as reader:
        for planned, redacted in zip(plan_frames(record), job.mask_frames(), strict=True):
            if planned.index in {0, 6}:
                frame = reader.read_frame(planned.index)
                seen = render_still(frame, record.source.video, planned, StillOptions(style=options.style))
                with frame.open_for_drawing() as sheet:
                    for plane, samples in zip(
                        sheet.picture(writable=True).planes, redacted.picture.planes, strict=True
                    ):
                        np.copyto(plane, samples)
                    assert np.array_equal(seen, sheet.rgb())


def test_a_frame_that_is_covered_is_black_in_its_still(tmp_path):
    path = clips.b_frames(tmp_path / "a.mp4")
    record = record_of(path, lambda _: [BOX])
    with SeekingReader(path, record) as reader:
        planned = FramePlan(3, record.frames[3].pts, (Box(*BOX),), covered=True)
        seen = render_still(
            reader.read_frame(3), record.source.video, planned, StillOptions(style=style_from_preset("strong"))
        )
        assert int(seen.max()) <= 4
        assert int(render_still(reader.read_frame(3), record.source.video, planned, StillOptions()).max()) > 200


def test_a_still_is_a_jpeg_of_the_requested_size(tmp_path):
    path = clips.b_frames(tmp_path / "a.mp4")
    record = record_of(path, lambda _: [])
    with SeekingReader(path, record) as reader:
        planned = FramePlan(0, 0, (), covered=False)
        data = encode_jpeg(
            render_still(reader.read_frame(0), record.source.video, planned, StillOptions(max_side_px=64))
        )
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)
