from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from engine.core.geometry import Size
from engine.core.picture import Picture, PixelFormat
from engine.errors import RenderError, TargetError
from engine.media.output.encoder import EncoderSettings, Signal, plan_ffmpeg_args
from engine.media.output.writer import VideoWriter, Y4mWriter
from engine.record import Colour
from tests.engine.media.source_makers import YUV420, make_picture, make_video_facts, run_ffmpeg
from tests.repository import ROOT

SIZE = Size(320, 180)
TEN_BIT = PixelFormat("yuv420p10le", 10, (1, 1), "yuv", full_range=False)
FORMATS = [
    YUV420,
    PixelFormat("yuv422p", 8, (1, 0), "yuv", full_range=False),
    PixelFormat("yuv444p", 8, (0, 0), "yuv", full_range=True),
    PixelFormat("gray", 8, (0, 0), "y", full_range=True),
    PixelFormat("gbrp", 8, (0, 0), "gbr", full_range=True),
    TEN_BIT,
    PixelFormat("yuv422p10le", 10, (1, 0), "yuv", full_range=False),
    PixelFormat("yuv444p12le", 12, (0, 0), "yuv", full_range=False),
    PixelFormat("gbrp12le", 12, (0, 0), "gbr", full_range=True),
    PixelFormat("gray10le", 10, (0, 0), "y", full_range=False),
]
BUSY = "while True: pass"


def write(path: Path, pixels: PixelFormat = YUV420, size: Size = SIZE, *, frames: int = 12, crf: float = 17.0) -> Path:
    settings = EncoderSettings(crf=crf, preset="veryfast")
    with VideoWriter(path, make_video_facts(size, pixels, frames=frames), pixels, settings) as writer:
        for number in range(frames):
            writer.write(make_picture(pixels, size, number), number)
    return path


def decode_planes(path: Path, form: str) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format=form) for frame in container.decode(video=0)]


@pytest.mark.parametrize("pixels", FORMATS, ids=lambda pixels: pixels.name)
@pytest.mark.parametrize("size", [Size(64, 48), Size(65, 47)], ids=str)
def test_every_layout_comes_out_as_it_went_in(size, pixels, tmp_path):
    # With lossless settings, what is decoded is what was handed over, sample for sample.
    path = write(tmp_path / "out.mov", pixels, size, frames=3, crf=0 if pixels.bit_depth == 8 else 1)

    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))

    assert [(frame.width, frame.height) for frame in frames] == [(size.width, size.height)] * 3
    tolerance = 0 if pixels.bit_depth == 8 else 4 << (pixels.bit_depth - 8)
    for number, frame in enumerate(frames):
        handed = make_picture(pixels, size, number).planes
        for index, samples in enumerate(handed):
            plane = frame.planes[index]
            stored = np.frombuffer(plane, pixels.dtype).reshape(plane.height, -1)[:, : plane.width]
            across, down = round(plane.width / samples.shape[1]), round(plane.height / samples.shape[0])
            error = stored[::down, ::across].astype(int) - samples
            assert np.abs(error).max() <= tolerance


def test_an_odd_picture_keeps_its_size_and_chroma(tmp_path):
    path = write(tmp_path / "odd.mov", YUV420, Size(65, 47), frames=1, crf=0)

    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))

    chroma = np.frombuffer(frame.planes[1], np.uint8).reshape(47, -1)[:, :65]
    assert frame.format.name == "yuv444p"
    assert np.array_equal(chroma[::2, ::2], make_picture(YUV420, Size(65, 47), 0).planes[1])


@pytest.mark.parametrize("time_base", ["1/25", "1001/30000", "1/90000", "1/1000", "7/3", "1/10000000"])
def test_time_stamps_are_kept_exactly(time_base, tmp_path):
    tick = Fraction(time_base)
    times = [5, 6, 9, 10, 40, 41, 43]
    facts = make_video_facts(SIZE, YUV420, time_base)
    with VideoWriter(tmp_path / "out.mov", facts, YUV420, EncoderSettings()) as writer:
        for number, pts in enumerate(times):
            writer.write(make_picture(YUV420, SIZE, number), pts)

    with av.open(str(tmp_path / "out.mov")) as container:
        shown = [frame.pts * container.streams.video[0].time_base for frame in container.decode(video=0)]
    assert shown == [(pts - 5) * tick for pts in times]


def test_a_time_base_too_fine_for_mov_is_kept_to_the_microsecond(tmp_path):
    facts = make_video_facts(SIZE, YUV420, "1/1000000000")
    times = [0, 33_366_667, 66_733_333, 9_000_000_001]
    with VideoWriter(tmp_path / "out.mov", facts, YUV420, EncoderSettings()) as writer:
        for number, pts in enumerate(times):
            writer.write(make_picture(YUV420, SIZE, number), pts)

    with av.open(str(tmp_path / "out.mov")) as container:
        shown = [frame.pts * container.streams.video[0].time_base for frame in container.decode(video=0)]
    assert shown == [Fraction(round(pts / 1000), 1_000_000) for pts in times]


def test_a_time_stamp_that_does_not_rise_is_refused_and_leaves_no_file(tmp_path):
    path = tmp_path / "out.mov"
    with pytest.raises(RenderError, match="pts 4 does not come after"):
        write_at(path, [4, 4])
    assert not path.exists()


def write_at(path: Path, times: list[int]) -> None:
    with VideoWriter(path, make_video_facts(SIZE, YUV420), YUV420, EncoderSettings()) as writer:
        for number, pts in enumerate(times):
            writer.write(make_picture(YUV420, SIZE, number), pts)


@pytest.mark.parametrize("size", [Size(64, 48), Size(65, 47)], ids=str)
def test_a_picture_drawn_on_a_copy_gives_the_bytes_of_one_drawn_before(size, tmp_path):
    # The copy may be the encoder's own frame, which is used again: nothing of an earlier picture may show in it.
    plain, lent = write(tmp_path / "plain.mov", size=size, frames=30), tmp_path / "lent.mov"
    facts = make_video_facts(size, YUV420, frames=30)
    with VideoWriter(lent, facts, YUV420, EncoderSettings(crf=17.0, preset="veryfast")) as writer:
        for number in range(30):
            copy = writer.copy_picture(make_picture(YUV420, size, number + 1 if number % 3 else number))
            for plane, drawn in zip(copy.planes, make_picture(YUV420, size, number).planes, strict=True):
                plane[...] = drawn
            writer.write(make_picture(YUV420, size, number) if number % 5 == 0 else copy, number)
    assert lent.read_bytes() == plain.read_bytes()


def test_no_frame_at_all_is_refused_and_leaves_no_file(tmp_path):
    path = tmp_path / "out.mov"
    with pytest.raises(RenderError, match="would have no frame"):
        write_at(path, [])
    assert not path.exists()


def test_a_missing_folder_gives_an_error(tmp_path):
    with pytest.raises(TargetError, match=r"out\.mov cannot be written: No such file"):
        VideoWriter(tmp_path / "nowhere" / "out.mov", make_video_facts(SIZE, YUV420), YUV420, EncoderSettings())


def test_sixteen_bits_are_refused(tmp_path):
    deep = PixelFormat("gray16le", 16, (0, 0), "y", full_range=True)
    with pytest.raises(RenderError, match="16 bits a sample"):
        VideoWriter(tmp_path / "out.mov", make_video_facts(SIZE, deep), deep, EncoderSettings())


def test_planes_may_be_changed_after_they_were_written(tmp_path):
    calm = write(tmp_path / "calm.mov").read_bytes()
    with VideoWriter(tmp_path / "hasty.mov", make_video_facts(SIZE, YUV420), YUV420, EncoderSettings()) as writer:
        for number in range(12):
            handed = make_picture(YUV420, SIZE, number)
            writer.write(handed, number)
            for plane in handed.planes:
                plane[...] = 255

    assert (tmp_path / "hasty.mov").read_bytes() == calm


def test_colour_aspect_and_chroma_location_are_kept(tmp_path):
    facts = make_video_facts(SIZE, TEN_BIT, colour=Colour("tv", "bt2020nc", "bt2020", "smpte2084"), frames=1)
    signal = Signal(
        chroma_location="topleft",
        mastering_display="G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)",
        content_light=(1000, 400),
    )
    with VideoWriter(tmp_path / "out.mov", facts, TEN_BIT, EncoderSettings(), signal) as writer:
        writer.write(make_picture(TEN_BIT, SIZE, 0), 0)

    with av.open(str(tmp_path / "out.mov")) as container:
        frame = next(container.decode(video=0))
        assert (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 9, 9, 16)
        assert {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"} <= {side.type.name for side in frame.side_data}
    assert "topleft" in describe_stream(tmp_path / "out.mov")


@pytest.mark.parametrize(("order", "first"), [("tt", "top first"), ("bb", "bottom first")])
def test_interlacing_is_kept(order, first, tmp_path):
    facts = make_video_facts(Size(320, 240), YUV420)
    path = tmp_path / "out.mov"
    with VideoWriter(path, facts, YUV420, EncoderSettings(), Signal(field_order=order)) as writer:
        for number in range(4):
            writer.write(make_picture(YUV420, Size(320, 240), number), number)

    with av.open(str(path)) as container:
        assert all(frame.interlaced_frame for frame in container.decode(video=0))
    assert first in describe_stream(path)


def describe_stream(path: Path) -> str:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "verbose", "-i", path]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.mark.slow
@pytest.mark.parametrize("pixels", [YUV420, TEN_BIT], ids=lambda pixels: pixels.name)
def test_one_core_a_busy_machine_and_another_cpu_give_the_same_bytes(pixels, tmp_path):
    expected = write(tmp_path / "here.mov", pixels, frames=24).read_bytes()

    assert write(tmp_path / "again.mov", pixels, frames=24).read_bytes() == expected
    assert write_in_other_process(tmp_path, pixels, cores=1) == expected
    assert write_in_other_process(tmp_path, pixels, environment={"OPENCV_CPU_DISABLE": "AVX2,AVX,SSE4.2"}) == expected
    hogs = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(3)]
    try:
        assert write_in_other_process(tmp_path, pixels) == expected
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def write_in_other_process(
    tmp_path: Path, pixels: PixelFormat, *, cores: int | None = None, environment: dict[str, str] | None = None
) -> bytes:
    """The bytes that another process writes, on so many cores."""
    path = tmp_path / "elsewhere.mov"
    pin = f"os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{cores}])" if cores else ""
    name = "TEN_BIT" if pixels is TEN_BIT else "YUV420"
    script = f"""
import os, sys
from pathlib import Path
{pin}
sys.path.insert(0, {str(ROOT)!r})
from tests.engine.media.output.test_encoder import TEN_BIT, YUV420, write
write(Path({str(path)!r}), {name}, frames=24)
"""
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, **(environment or {})})
    return path.read_bytes()


def write_y4m(tmp_path: Path, pixels: PixelFormat, frames: int = 40, name: str = "pictures.y4m") -> Path:
    path = tmp_path / name
    with Y4mWriter(path, make_video_facts(SIZE, pixels), pixels) as writer:
        for number in range(frames):
            writer.write(make_picture(pixels, SIZE, number))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pixels", "switch"), [(YUV420, ":asm=0"), (YUV420, ":asm=sse2"), (TEN_BIT, ":asm=0")], ids=["c", "sse2", "hevc c"]
)
def test_slower_processors_give_the_same_stream(pixels, switch, tmp_path):
    pictures = write_y4m(tmp_path, pixels)
    arguments = plan_ffmpeg_args(EncoderSettings(), make_video_facts(SIZE, pixels), pixels)
    limited = [part + switch if "=" in part else part for part in arguments]
    assert limited != arguments

    muxer = "h264" if pixels is YUV420 else "hevc"
    for name, options in (("fast", arguments), ("slow", limited)):
        run_ffmpeg("-strict", "-1", "-i", pictures, *options, "-f", muxer, tmp_path / name)

    assert (tmp_path / "fast").read_bytes() == (tmp_path / "slow").read_bytes()


def test_ffmpegs_command_line_gets_the_same_settings(tmp_path):
    settings = EncoderSettings(crf=21, preset="faster", threads=3, keyframe_seconds=2, b_frames=1)
    facts = make_video_facts(SIZE, YUV420, colour=Colour("tv", "bt709", "bt709", "bt709"))
    with VideoWriter(tmp_path / "ours.mov", facts, YUV420, settings) as writer:
        for number in range(40):
            writer.write(make_picture(YUV420, SIZE, number), number)
    arguments = plan_ffmpeg_args(settings, facts, YUV420)
    tagged = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    run_ffmpeg("-i", write_y4m(tmp_path, YUV420), "-vf", tagged, *arguments, tmp_path / "theirs.mov")

    ours = read_x264_options(tmp_path / "ours.mov")
    assert ours == read_x264_options(tmp_path / "theirs.mov")
    assert {"crf=21.0", "threads=3", "keyint=50", "bframes=1", "sliced_threads=0", "open_gop=0"} <= set(ours)
    assert [frame.tobytes() for frame in decode_planes(tmp_path / "ours.mov", "yuv420p")] == [
        frame.tobytes() for frame in decode_planes(tmp_path / "theirs.mov", "yuv420p")
    ]


def read_x264_options(path: Path) -> list[str]:
    data = path.read_bytes()
    begin = data.index(b"options: ")
    return data[begin : data.index(b"\0", begin)].decode("ascii").split()[1:]


def test_nothing_about_the_machine_or_the_clock_is_in_the_file(tmp_path):
    for pixels in (YUV420, TEN_BIT):
        path = write(tmp_path / "out.mov", pixels)
        data = path.read_bytes()
        assert b"Lav" not in data
        assert b"cpu" not in data.lower()
        with av.open(str(path)) as container:
            assert "creation_time" not in container.metadata


@pytest.mark.parametrize(
    "pixels",
    [pixels for pixels in FORMATS if pixels.planes != "gbr"],
    ids=lambda pixels: pixels.name,
)
def test_y4m_holds_exactly_what_was_handed_over(pixels, tmp_path):
    size = Size(65, 47)
    with Y4mWriter(tmp_path / "out.y4m", make_video_facts(size, pixels), pixels) as writer:
        for number in range(2):
            writer.write(make_picture(pixels, size, number))

    raw_planes = b"".join(plane.tobytes() for number in range(2) for plane in make_picture(pixels, size, number).planes)
    run_ffmpeg(
        "-strict", "-1", "-i", tmp_path / "out.y4m", "-f", "rawvideo", "-pix_fmt", pixels.name, tmp_path / "out.raw"
    )
    assert (tmp_path / "out.raw").read_bytes() == raw_planes


@pytest.mark.parametrize("frames", [1, 2, 3, 9])
def test_a_very_short_hevc_clip_is_the_same_every_time(frames, tmp_path):
    clips = {write(tmp_path / "out.mov", TEN_BIT, frames=frames).read_bytes() for _ in range(3)}

    assert len(clips) == 1
    assert len(decode_planes(tmp_path / "out.mov", "yuv420p10le")) == frames


def test_y4m_has_no_name_for_rgb(tmp_path):
    pixels = FORMATS[4]
    with pytest.raises(TargetError, match="cannot hold gbrp"):
        Y4mWriter(tmp_path / "out.y4m", make_video_facts(SIZE, pixels), pixels)


def test_a_full_disk_gives_an_error(tmp_path):
    (tmp_path / "full.y4m").symlink_to("/dev/full")
    with pytest.raises(TargetError, match="cannot be written: No space left"):
        write_y4m(tmp_path, YUV420, name="full.y4m")


def test_pictures_that_share_memory_are_only_read(tmp_path):
    handed = make_picture(YUV420, SIZE, 0)
    for plane in handed.planes:
        plane.flags.writeable = False
    with VideoWriter(tmp_path / "out.mov", make_video_facts(SIZE, YUV420), YUV420, EncoderSettings()) as writer:
        writer.write(Picture(YUV420, handed.planes), 0)
    assert len(decode_planes(tmp_path / "out.mov", "yuv420p")) == 1
