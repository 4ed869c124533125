"""Decoding every frame of a source, in order, and never passing over one that is broken."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.core.progress import ProgressListener, SilentListener
from engine.errors import DamagedFrameError, SourceError
from engine.media.facts import MediaInfo
from engine.media.frame import FrameConverters, SourceFrame
from engine.media.pixels import make_grey_frame, planar_format_from_name
from engine.media.source.damage import PendingFrames, capture_decoder_errors, enable_damage_reporting, has_own_frame
from engine.media.source.open_file import open_container

OnDamage = Literal["stop", "cover"]

_SILENT = SilentListener()
_MAX_DRAIN_ERRORS = 256
"""Each decoding thread may report one when it is drained."""


@contextmanager
def open_source(
    path: Path | str, info: MediaInfo, *, on_damage: OnDamage = "stop", listener: ProgressListener = _SILENT
) -> Iterator[Source]:
    """Open a probed file for decoding.

    Args:
        path: the file.
        info: what `probe` found in it.
        on_damage: stop with an error at the first frame that cannot be decoded whole, or deliver it marked as damaged.
        listener: hears of frames before the first keyframe and of time stamps that had to be moved.

    Raises:
        SourceError: the file cannot be opened, or is not the one that was probed.
    """
    path = Path(path)
    with open_container(path) as container, ExitStack() as closing:
        source = Source(path, container, info, on_damage=on_damage, listener=listener)
        # FFmpeg frees a decoder while Python's lock is held; a decoding thread that wants to log then waits for ever.
        # Emptying the decoder first, which lets go of the lock, brings its threads to rest.
        closing.callback(source.stream.codec_context.flush_buffers)
        yield source


class Source:
    """An open video. `frames` can be run through once."""

    def __init__(
        self, path: Path, container: InputContainer, info: MediaInfo, *, on_damage: OnDamage, listener: ProgressListener
    ) -> None:
        self.path = path
        self.info = info
        self.stream: VideoStream = container.streams[info.video.index]  # type: ignore[assignment]
        self._identity = _read_identity(path)
        if self._identity[0] != info.bytes or self.stream.type != "video":
            raise SourceError(f"{path} is not the file that was looked at before. Start again with the file as it is.")
        self._container = container
        self._covers_damage = on_damage == "cover"
        self._listener = listener
        self._needs_log_capture = enable_damage_reporting(self.stream)
        self._converters = FrameConverters()
        self._pending_frames = PendingFrames()
        self._pts_assigner = _PtsAssigner(info)
        self._suspect_pts: set[int] = set()
        self._expected_frames = 0
        self._delivered_frames = 0
        self._lead_in_frames = 0
        self._unplaced_errors = 0
        self._is_broken = False

    def frames(self) -> Iterator[SourceFrame]:
        """Every frame in presentation order.

        Frames before the first keyframe of a recording that starts in the middle of one are what no player can show;
        those that do not decode are passed over with a notice.

        Raises:
            DamagedFrameError: with `on_damage="stop"`, a frame cannot be decoded whole, or is missing.
            SourceError: time stamps run backwards, the picture changes its size, or the file was changed meanwhile.
        """
        for packet in self._read_from_first_key():
            for frame in self._decode_packet(packet):
                yield from self._emit_in_order(frame)
        for frame in self._drain_decoder():
            yield from self._emit_in_order(frame)
        for pts in self._pending_frames.take_remaining():
            yield from self._replace_lost_frame(pts)
        yield from self._check_ending()
        self._report_irregularities()
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """See that the path still leads to the file that was opened.

        Raises:
            SourceError: it was changed, replaced or deleted.
        """
        try:
            unchanged = _read_identity(self.path) == self._identity
        except OSError as error:
            raise SourceError(
                f"{self.path} disappeared while it was read ({error.strerror}). Put it back and start again."
            ) from error
        if not unchanged:
            raise SourceError(f"{self.path} was changed while it was read. Start again with the file as it is now.")

    def _read_from_first_key(self) -> Iterator[Packet[VideoStream]]:
        """The packets without those before the first keyframe, which refer to frames that are not there."""
        started = self.info.video.key_pts is None
        for packet in self._read_packets():
            started = started or packet.is_keyframe
            if started:
                yield packet
            else:
                self._lead_in_frames += has_own_frame(self.info.video.codec, packet)

    def _read_packets(self) -> Iterator[Packet[VideoStream]]:
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                # The probe met the same error, and says in `cut_short` whether anything is missing.
                return
            if packet is None or not packet.size:
                return
            yield packet

    def _decode_packet(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        self._note_packet(packet)
        if packet.is_corrupt and packet.pts is not None:
            self._suspect_pts.add(packet.pts)
        if not self._needs_log_capture:
            return self._try_decode(packet)
        with capture_decoder_errors() as messages:
            frames = self._try_decode(packet)
        if messages and packet.pts is not None:
            self._suspect_pts.add(packet.pts)
        return frames

    def _note_packet(self, packet: Packet[VideoStream]) -> None:
        """Note what a packet owes."""
        timing = self.info.video.timing
        owes = has_own_frame(self.info.video.codec, packet)
        self._expected_frames += owes
        if timing == "dts" and packet.dts is not None:
            self._pts_assigner.add_packet(packet.dts, owes=owes)
            packet.pts = packet.dts
        elif timing == "pts" and owes and packet.pts is not None:
            self._pending_frames.add_packet(packet.pts)

    def _try_decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        try:
            return self.stream.codec_context.decode(packet)
        except EndOfFile:
            raise
        except FFmpegError as error:
            if packet is None or not self._is_lead_in(packet.pts):
                self._note_decode_error(error)
            return []

    def _note_decode_error(self, error: FFmpegError) -> None:
        if self._covers_damage:
            self._is_broken = True
        elif self.info.video.timing != "pts":
            raise self._make_damage_error(
                self._pts_assigner.expected_pts, f"cannot be decoded ({error.strerror})"
            ) from error
        # A decoder with several threads reports some packets late; the ledger finds the frame that the failure cost.
        self._unplaced_errors += 1

    def _drain_decoder(self) -> Iterator[VideoFrame]:
        for _ in range(_MAX_DRAIN_ERRORS):
            try:
                frames = self._try_decode(None)
            except EndOfFile:
                return
            yield from frames

    def _emit_in_order(self, frame: VideoFrame) -> Iterator[SourceFrame]:
        self._check_shape(frame)
        if self.info.video.timing == "pts" and frame.pts is not None:
            for pts in self._pending_frames.match_frame(frame.pts):
                yield from self._replace_lost_frame(pts)
        faulty = frame.is_corrupt or frame.pts in self._suspect_pts
        if faulty and self._is_lead_in(frame.pts):
            self._lead_in_frames += 1
            return
        yield from self._emit_checked(frame, "cannot be decoded whole" if faulty else None)

    def _emit_checked(self, frame: VideoFrame, complaint: str | None) -> Iterator[SourceFrame]:
        pts, lost = self._pts_assigner.assign_pts(
            frame, self._delivered_frames, reorders=self.stream.codec_context.has_b_frames
        )
        for time in lost:
            yield from self._replace_lost_frame(time)
        if pts is None:
            pts, complaint = self._pts_assigner.expected_pts, "carries no presentation time"
        if complaint and not self._covers_damage:
            raise self._make_damage_error(pts, complaint)
        moved = self._pts_assigner.enforce_rising(pts)
        if moved is None:
            raise SourceError(
                f"{self.path} runs backwards in time at frame {self._delivered_frames}. Export it again as MP4."
            )
        # Frames that build on a damaged one carry its faults on, and no decoder says so; a keyframe starts afresh.
        self._is_broken = bool(complaint) or (self._is_broken and not frame.key_frame)
        yield self._make_frame(frame, moved, damaged=self._is_broken)

    def _make_frame(self, frame: VideoFrame, pts: int, *, damaged: bool) -> SourceFrame:
        made = SourceFrame(
            self._delivered_frames, pts, frame, self.info.video.orientation, self._converters, damaged=damaged
        )
        self._delivered_frames += 1
        return made

    def _is_lead_in(self, pts: int | None) -> bool:
        key = self.info.video.key_pts
        return key is not None and pts is not None and pts < key

    def _replace_lost_frame(self, pts: int) -> Iterator[SourceFrame]:
        """A packet went in and no frame came out."""
        self._unplaced_errors = max(0, self._unplaced_errors - 1)
        if self._is_lead_in(pts):
            self._lead_in_frames += 1
            return
        if not self._covers_damage:
            raise self._make_damage_error(pts, "cannot be decoded")
        self._is_broken = True
        moved = self._pts_assigner.enforce_rising(pts)
        if moved is not None:
            yield self._make_grey_frame(moved)

    def _make_grey_frame(self, pts: int) -> SourceFrame:
        video = self.info.video
        layout = planar_format_from_name(video.pixel_format, full=video.colour.range == "pc")
        return self._make_frame(make_grey_frame(video.coded, layout), pts, damaged=True)

    def _check_ending(self) -> Iterator[SourceFrame]:
        """Say so when the stream should have gone on; one grey frame stands for what is missing."""
        missing = (
            self._unplaced_errors if self.info.video.timing == "pts" else self._expected_frames - self._delivered_frames
        )
        cut_short = self.info.cut_short
        if not cut_short and (missing <= 0 or (self._covers_damage and self.info.video.timing == "pts")):
            return
        if not self._covers_damage:
            reason = cut_short or f"{missing} frames before it could not be decoded"
            raise self._make_damage_error(self._pts_assigner.expected_pts, f"is missing: {reason}")
        moved = self._pts_assigner.enforce_rising(self._pts_assigner.expected_pts)
        if moved is not None:
            yield self._make_grey_frame(moved)

    def _report_irregularities(self) -> None:
        if self._lead_in_frames:
            self._listener.notice(
                f"{self.path} starts in the middle of a recording: {self._lead_in_frames} frames before its first "
                f"keyframe "
                "cannot be shown by any player and are left out."
            )
        if self._pts_assigner.moved_frames:
            self._listener.notice(
                f"{self.path} gives {self._pts_assigner.moved_frames} frames a time that is not after the frame "
                "before; each was moved by as little as possible."
            )

    def _check_shape(self, frame: VideoFrame) -> None:
        video = self.info.video
        if (frame.width, frame.height) != (video.coded.width, video.coded.height):
            raise SourceError(
                f"{self.path} changes its picture size at frame {self._delivered_frames} from {video.coded.width}x"
                f"{video.coded.height} to {frame.width}x{frame.height}. Convert it to one size first."
            )
        if frame.format.name != video.pixel_format:
            raise SourceError(
                f"{self.path} changes its pixel format at frame {self._delivered_frames} from {video.pixel_format} to "
                f"{frame.format.name}. Convert it to one format first."
            )

    def _make_damage_error(self, pts: int, complaint: str) -> DamagedFrameError:
        seconds = self.info.video.to_seconds(pts)
        return DamagedFrameError(
            f"Frame {self._delivered_frames} of {self.path} (pts {pts}, {seconds:.3f} s) {complaint}. "
            "Use an undamaged copy, or allow damaged frames to be covered whole.",
            self._delivered_frames,
        )


class _PtsAssigner:
    """Gives every frame its presentation time, and sees that times rise."""

    def __init__(self, info: MediaInfo) -> None:
        self._video = info.video
        self._sent_packets: deque[tuple[int, bool]] = deque()
        self._last_pts: int | None = None
        self.moved_frames = 0

    @property
    def expected_pts(self) -> int:
        """When the next frame should come, judging by the one before."""
        return self._video.first_pts if self._last_pts is None else self._last_pts + self._video.step

    def add_packet(self, dts: int, *, owes: bool) -> None:
        """A packet went in, with nothing but a decoding time."""
        self._sent_packets.append((dts, owes))

    def assign_pts(self, frame: VideoFrame, index: int, *, reorders: bool) -> tuple[int | None, list[int]]:
        """The frame's time, None when it has none, and the times of frames that should have come before it.

        With decoding times alone, frames that come in another order than their packets take the packets' times in
        rising order; else a frame takes its own packet's.
        """
        match self._video.timing:
            case "pts":
                return frame.pts, []
            case "count":
                return index * self._video.step, []
        if reorders:
            return (self._sent_packets.popleft()[0] if self._sent_packets else None), []
        lost = []
        while self._sent_packets and frame.pts is not None and self._sent_packets[0][0] < frame.pts:
            dts, owed = self._sent_packets.popleft()
            lost += [dts] * owed
        return (self._sent_packets.popleft()[0] if self._sent_packets else None), lost

    def enforce_rising(self, pts: int) -> int | None:
        """The time itself, or the next tick after the last frame's; None when that would move it a frame or more."""
        moved = pts if self._last_pts is None else max(pts, self._last_pts + 1)
        if moved - pts > self._video.step:
            return None
        self.moved_frames += moved != pts
        self._last_pts = moved
        return moved


def _read_identity(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino
