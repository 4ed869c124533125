"""What the tests measure in the output of a live run."""

from itertools import pairwise

import av
import numpy as np


def decode_brightness(path):
    """Return mean brightness and time in seconds of each frame."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [(frame.to_ndarray(format="gray").mean(), frame.time) for frame in frames]


def read_audio_packets(path):
    """Return the payloads and the times in seconds, from the start of the video, of all audio packets."""
    with av.open(str(path)) as container:
        packets = [
            (bytes(packet), float(packet.pts * packet.time_base)) for packet in container.demux(audio=0) if packet.size
        ]
        start = float(container.streams.video[0].start_time * container.streams.video[0].time_base)
    return [payload for payload, _ in packets], [time - start for _, time in packets]


def find_flashes(path):
    """Return the times in seconds at which the picture turns from dark to bright.

    A turn from a covered frame does not count: the flash may have begun while frames were covered.
    """
    return [
        time
        for (mean_before, before), (mean, time) in pairwise(decode_brightness(path))
        if 20 < mean_before < 100 < mean and time - before < 0.06
    ]


def find_tones(path):
    """Return the times in seconds at which a tone begins after silence."""
    tones, quiet = [], False
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0].astype(np.float64)) > 0.1)
            if quiet and len(loud):
                tones.append(frame.time + loud[0] / frame.sample_rate)
            quiet = not len(loud)
    return tones


def assert_in_sync(path):
    """Assert that flashes and tones coincide; a flash or tone that was lost on the way does not count."""
    tones = find_tones(path)
    offsets = [flash - tone for flash in find_flashes(path) for tone in tones if abs(flash - tone) < 0.5]
    assert offsets
    assert max(map(abs, offsets)) < 0.04
