"""The transfer ledger: which frames left the machine, for which remote detector, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.detection.checkpoint import Checkpoint, CheckpointFrames
from engine.detection.frame_detections import FrameDetections, merge_passes
from engine.detectors.registry import DetectorPlan, select_remote
from engine.record import Count, Document, Sha256, encode_document
from engine.storage.data_folder import LEDGER_SUFFIX, append_suffix
from engine.storage.files import write_file


class SentFrame(Document, frozen=True):
    """One frame that left the machine.

    Attributes:
        index: frame index.
        pts: presentation time stamp in the video's time base.
        detector: name of the remote detector.
        sha256: SHA-256 of the bytes sent.
        bytes: number of bytes sent.
        request: request id that the service returned.
        paid: False if the answer came from an earlier call with the same bytes.
    """

    index: Count
    pts: int
    detector: str
    sha256: Sha256
    bytes: Count
    request: str
    paid: bool


class TransferLedger(Document, frozen=True):
    """All frames that left the machine for one record; written beside the record.

    Attributes:
        record_sha256: SHA-256 of the record. None: the run did not finish.
        calls: calls that the run paid for, in all its attempts.
        kept: frames whose answer was already there, from an earlier run or from a frame with the same picture.
        cost: US dollars for `calls`.
        frames: the frames sent, in order.
    """

    record_sha256: Sha256 | None
    calls: Count
    kept: Count
    cost: float
    frames: tuple[SentFrame, ...]


def ledger_path(record: Path) -> Path:
    """Return the path of the ledger that belongs to a record."""
    return append_suffix(record, LEDGER_SUFFIX)


def build_ledger(
    frames: Iterable[FrameDetections], plans: Sequence[DetectorPlan], record_sha256: str | None
) -> TransferLedger:
    """List the frames that were sent so far."""
    sent_frames = tuple(
        SentFrame(index, frame.pts, detector, receipt.sha256, receipt.bytes, receipt.request, receipt.paid)
        for index, frame in enumerate(frames)
        for detector, receipt in frame.receipts.items()
    )
    calls = sum(sent.paid for sent in sent_frames)
    prices = {plan.name: settings.price for plan, settings in select_remote(plans)}
    cost = round(sum(prices[sent.detector] for sent in sent_frames if sent.paid), 6)
    return TransferLedger(record_sha256, calls, len(sent_frames) - calls, cost, sent_frames)


@contextmanager
def write_ledger_on_failure(
    checkpoints: Sequence[Checkpoint], plans: Sequence[DetectorPlan], output: Path | None
) -> Iterator[None]:
    """Write the ledger if the block fails: frames have left the machine although there is no record.

    Args:
        checkpoints: the checkpoints of the passes so far.
        plans: all detectors of the run.
        output: path of the record. None: no ledger is written.
    """
    try:
        yield
    # KeyboardInterrupt and the cancellation of a run count too, so this is not limited to Exception.
    except BaseException:
        ledger = build_ledger(merge_passes([CheckpointFrames(one) for one in checkpoints]), plans, None)
        if output is not None and ledger.frames:
            write_file(ledger_path(output), encode_document(ledger))
        raise
