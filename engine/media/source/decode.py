"""Decodes every frame of a source, in order, and never skips one that is broken."""

from __future__ import annotations

from collections.abc import Collection, Iterator
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
from engine.core.step_limit import NATIVE_STEP, limit_steps
from engine.errors import DamagedFrameError, SourceError
from engine.media.containers import container_family
from engine.media.facts import MediaInfo
from engine.media.frame import FrameConverters, SourceFrame
from engine.media.pixels import make_grey_frame, planar_format_from_name
from engine.media.source.crop import FrameCropper
from engine.media.source.damage import PendingFrames, capture_decoder_errors, enable_damage_reporting, has_own_frame
from engine.media.source.open_file import open_container, read_identity
from engine.media.source.start_points import StartPoint, seek_start_point
from engine.media.source.timestamps import PtsAssigner
from engine.media.source.transport_stream import ends_recording, look_ahead

OnDamage = Literal["stop", "cover"]

_SILENT = SilentListener()
_MAX_DRAIN_ERRORS = 256
"""Upper bound of errors while a decoder is drained: each of its threads may report one."""


@contextmanager
def open_source(
    path: Path | str,
    info: MediaInfo,
    *,
    on_damage: OnDamage = "stop",
    listener: ProgressListener = _SILENT,
    start: StartPoint | None = None,
) -> Iterator[Source]:
    """Open a probed file for decoding.

    Args:
        path: the file.
        info: what `probe` returned for it.
        on_damage: "stop" raises an error at the first frame that cannot be decoded completely; "cover" delivers it
            marked as damaged.
        listener: receives notices about frames before the first keyframe and about time stamps that had to be moved.
        start: keyframe from which frames are decoded. None: from the beginning.

    Raises:
        SourceError: the file cannot be opened, or is not the one that was probed.
    """
    path = Path(path)
    with open_container(path) as container, ExitStack() as resources:
        source = Source(path, container, info, on_damage=on_damage, listener=listener, start=start)
        # FFmpeg frees a decoder while Python's lock is held. A decoding thread that wants to log at that moment waits
        # for the lock for ever. Flushing first releases the lock and brings the decoder's threads to rest.
        resources.callback(source.stream.codec_context.flush_buffers)
        yield source


class Source:
    """An open video whose frames can be read once.

    Every frame must be accounted for, but no decoder says reliably which frame an error cost: decoders reorder frames,
    run ahead in several threads, and report some errors late or not at all (see `engine.media.source.damage`). So this
    class keeps books, in three ways that depend on what the container stores:

    - With presentation times ("pts"), each packet that owes a frame enters a ledger under its time. A frame that comes
      out crosses its time off; earlier times still in the ledger are lost frames, because frames come out in
      presentation order.
    - With decoding times only ("dts"), lost frames are found the same way if the decoder does not reorder.
    - Otherwise frames are counted, so a lack shows at the end only. An error then stops at once.

    Attributes:
        path: the file.
        info: what `probe` returned for it.
        stream: the video stream that is decoded.
        skipped_pts: presentation times of whole closed groups of pictures that are not decoded. The other frames are
            numbered as if there were no more.
    """

    skipped_pts: Collection[int] = ()

    def __init__(  # noqa: PLR0913 - a file, and how it is read
        self,
        path: Path,
        container: InputContainer,
        info: MediaInfo,
        *,
        on_damage: OnDamage,
        listener: ProgressListener,
        start: StartPoint | None = None,
    ) -> None:
        self.path = path
        self.info = info
        self.stream: VideoStream = container.streams[info.video.index]  # type: ignore[assignment]
        self._identity = read_identity(path)
        if self._identity[0] != info.bytes or self.stream.type != "video":
            raise SourceError(f"{path} is not the file that was probed before. Start again with the file as it is.")
        self._container = container
        self._covers_damage = on_damage == "cover"
        self._listener = listener
        self._needs_log_capture = enable_damage_reporting(self.stream)
        self._converters = FrameConverters()
        self._cropper = FrameCropper(self.stream, info.video.crop)
        self._pts_assigner = PtsAssigner(info)
        # The ledger of the "pts" case, and the counts for the others.
        self._pending_frames = PendingFrames()
        self._expected_frames = 0
        self._start = start
        self._key_pts = start.pts if start else info.video.key_pts
        self._delivered_frames = start.index if start else 0
        # Times of packets that are flagged corrupt, or during whose decoding the decoder logged an error.
        self._suspect_pts: set[int] = set()
        # Decoder errors for which no lost frame has been found yet.
        self._unplaced_errors = 0
        self._lead_in_frames = 0
        # True from a damaged frame to the next keyframe: frames between may be predicted from the damaged one.
        self._is_broken = False

    def frames(self) -> Iterator[SourceFrame]:
        """Yield every frame from the start point on, in presentation order.

        Frames before the first keyframe of a recording that starts between two keyframes cannot be shown by any player;
        those that do not decode are left out with a notice.

        Raises:
            DamagedFrameError: with `on_damage="stop"`, a frame cannot be decoded completely, or is missing.
            SourceError: time stamps run backwards, the picture size changes, or the file was changed meanwhile.
        """
        for packet, following in look_ahead(self._read_from_first_key()):
            for frame in self._decode_packet(packet, following):
                yield from self._emit_in_order(frame)
        for frame in self._drain_decoder():
            yield from self._emit_in_order(frame)
        # Only the end of the stream shows that nothing more comes for the last times in the ledger.
        for pts in self._pending_frames.take_remaining():
            yield from self._replace_lost_frame(pts)
        yield from self._check_ending()
        self._report_irregularities()
        self.check_unchanged()

    @property
    def has_unexplained_errors(self) -> bool:
        """True if the decoder has reported an error, and no lost frame has been found for it so far."""
        return self._unplaced_errors > 0

    def check_unchanged(self) -> None:
        """Check that the path still leads to the file that was opened.

        Raises:
            SourceError: the file was changed, replaced or deleted.
        """
        try:
            unchanged = read_identity(self.path) == self._identity
        except OSError as error:
            raise SourceError(
                f"{self.path} disappeared while it was read ({error.strerror}). Put it back and start again."
            ) from error
        if not unchanged:
            raise SourceError(f"{self.path} was changed while it was read. Start again with the file as it is now.")

    def _read_from_first_key(self) -> Iterator[Packet[VideoStream]]:
        """Yield the packets from the first keyframe on; those before refer to frames that are not in the file."""
        started = self._start is not None or self.info.video.key_pts is None
        for packet in self._read_packets():
            started = started or packet.is_keyframe
            if started:
                yield packet
            else:
                self._lead_in_frames += has_own_frame(self.info.video.codec, packet)

    def _read_packets(self) -> Iterator[Packet[VideoStream]]:
        if self._start is None:
            packets = limit_steps(self._container.demux(self.stream))
        else:
            packets = seek_start_point(self._container, self.stream, self._start, self.path)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                # The probe met the same error, and its `cut_short` says whether anything is missing.
                return
            if packet is None:
                return
            # An empty packet holds no frame: a recorder left one out. The demuxer also ends with one per stream, and
            # the decoder is drained explicitly instead.
            if packet.size and packet.pts not in self.skipped_pts:
                yield packet

    def _decode_packet(self, packet: Packet[VideoStream], following: list[Packet[VideoStream]]) -> list[VideoFrame]:
        self._note_packet(packet)
        if (
            packet.is_corrupt
            and packet.pts is not None
            and not (
                container_family(self.info.container).name == "mpegts" and ends_recording(self.path, packet, following)
            )
        ):
            self._suspect_pts.add(packet.pts)
        if not self._needs_log_capture:
            return self._try_decode(packet)
        # Capturing changes FFmpeg's log level for the whole process, so it is used only for decoders that report damage
        # in no other way. They run on one thread, so that a message belongs to the packet that was just sent.
        with capture_decoder_errors() as messages:
            frames = self._try_decode(packet)
        if messages and packet.pts is not None:
            self._suspect_pts.add(packet.pts)
        return frames

    def _note_packet(self, packet: Packet[VideoStream]) -> None:
        """Enter a packet into the books before it is decoded."""
        timing = self.info.video.timing
        has_frame = has_own_frame(self.info.video.codec, packet)
        self._expected_frames += has_frame
        if timing == "dts" and not packet.is_discard:
            # Where the container stores presentation times and they are wrong, both are those of decoding.
            time = packet.pts if container_family(self.info.container).stores_pts else packet.dts
            if time is not None:
                self._pts_assigner.add_packet(time, has_frame=has_frame)
                # FFmpeg makes up presentation times here; the decoder hands this field through to the frame.
                packet.pts = time
        elif timing == "pts" and has_frame and packet.pts is not None:
            self._pending_frames.add_packet(packet.pts)

    def _try_decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        try:
            with NATIVE_STEP:
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
            # Without the ledger nothing finds the lost frame later, so this is the moment to stop.
            raise self._make_damage_error(
                self._pts_assigner.expected_pts, f"cannot be decoded ({error.strerror})"
            ) from error
        # A decoder with several threads reports some packets late, so the error is not that of the packet just sent.
        # The ledger finds the frame that the failure cost; an error that it never explains counts at the end.
        self._unplaced_errors += 1

    def _drain_decoder(self) -> Iterator[VideoFrame]:
        # Draining ends with EndOfFile. An error before it must not hide the frames behind it, so draining continues,
        # within a bound, because a broken decoder could report errors without end.
        for _ in range(_MAX_DRAIN_ERRORS):
            try:
                frames = self._try_decode(None)
            except EndOfFile:
                return
            yield from frames

    def _emit_in_order(self, frame: VideoFrame) -> Iterator[SourceFrame]:
        self._check_shape(frame)
        frame = self._cropper.crop_frame(frame)
        if self.info.video.timing == "pts" and frame.pts is not None:
            # Stand-ins for lost frames come first, so that indices count every frame of the source.
            for pts in self._pending_frames.match_frame(frame.pts):
                yield from self._replace_lost_frame(pts)
        is_faulty = frame.is_corrupt or frame.pts in self._suspect_pts
        # Whoever begins at a start point does not need the frames before it, whole or not.
        if (is_faulty or self._start is not None) and self._is_lead_in(frame.pts):
            self._lead_in_frames += 1
            return
        yield from self._emit_checked(frame, "cannot be decoded whole" if is_faulty else None)

    def _emit_checked(self, frame: VideoFrame, complaint: str | None) -> Iterator[SourceFrame]:
        pts, lost = self._pts_assigner.assign_pts(
            frame, self._delivered_frames, reorders=self.stream.codec_context.has_b_frames
        )
        for lost_pts in lost:
            yield from self._replace_lost_frame(lost_pts)
        if pts is None:
            pts, complaint = self._pts_assigner.expected_pts, "carries no presentation time"
        if complaint and not self._covers_damage:
            raise self._make_damage_error(pts, complaint)
        moved = self._pts_assigner.enforce_rising(pts)
        if moved is None:
            raise SourceError(
                f"{self.path} runs backwards in time at frame {self._delivered_frames}: its time stamps are those of "
                "decoding, or two recordings overlap there. Encode it again; another container alone does not help."
            )
        # Frames that are predicted from a damaged one repeat its faults, and no decoder reports that. Only a keyframe
        # is independent of what came before, so everything up to the next keyframe counts as damaged.
        self._is_broken = bool(complaint) or (self._is_broken and not frame.key_frame)
        yield self._make_frame(frame, moved, damaged=self._is_broken)

    def _make_frame(self, frame: VideoFrame, pts: int, *, damaged: bool) -> SourceFrame:
        source_frame = SourceFrame(
            self._delivered_frames, pts, frame, self.info.video.orientation, self._converters, damaged=damaged
        )
        self._delivered_frames += 1
        return source_frame

    def _is_lead_in(self, pts: int | None) -> bool:
        """Return whether a time is before the first keyframe."""
        return self._key_pts is not None and pts is not None and pts < self._key_pts

    def _replace_lost_frame(self, pts: int) -> Iterator[SourceFrame]:
        """Deal with a packet that gave no frame: raise, or yield a grey frame in its place."""
        # The loss explains one of the errors that the decoder reported.
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
        """Raise if frames are missing that nothing else has found, or yield one grey frame for all of them."""
        has_ledger = self.info.video.timing == "pts"
        missing = self._unplaced_errors if has_ledger else self._expected_frames - self._delivered_frames
        cut_short = self.info.cut_short
        # When damage is covered, the ledger has already put a grey frame in the place of each lost one. An error that
        # is left then cost no frame.
        if not cut_short and (missing <= 0 or (self._covers_damage and has_ledger)):
            return
        if not self._covers_damage:
            reason = cut_short or f"{missing} frames before it could not be decoded"
            raise self._make_damage_error(self._pts_assigner.expected_pts, f"is missing: {reason}")
        moved = self._pts_assigner.enforce_rising(self._pts_assigner.expected_pts)
        if moved is not None:
            yield self._make_grey_frame(moved)

    def _report_irregularities(self) -> None:
        if self.info.video.timing == "dts" and container_family(self.info.container).stores_pts:
            self._listener.notice(
                f"{self.path} stores the times of decoding instead of those of presentation; its frames got them in "
                "the order in which they are shown."
            )
        if self._lead_in_frames:
            self._listener.notice(
                f"{self.path} starts in the middle of a recording: {self._lead_in_frames} frames before its first "
                "keyframe cannot be shown by any player and are left out."
            )
        if self._pts_assigner.moved_frames:
            self._listener.notice(
                f"{self.path} gives {self._pts_assigner.moved_frames} frames a time that is not after the frame "
                "before; each was moved by as little as possible."
            )

    def _check_shape(self, frame: VideoFrame) -> None:
        # Boxes, masks and the encoder are made for one size and format, so a change in mid-stream cannot be rendered.
        video = self.info.video
        stored = video.stored
        if (frame.width, frame.height) != (stored.width, stored.height):
            raise SourceError(
                f"{self.path} changes its picture size at frame {self._delivered_frames} from {stored.width}x"
                f"{stored.height} to {frame.width}x{frame.height}. Convert it to one size first."
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
            "Use an undamaged copy, or allow damaged frames to be covered whole (--on-damage cover).",
            self._delivered_frames,
        )
