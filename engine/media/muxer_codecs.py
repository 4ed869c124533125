"""What FFmpeg's own muxers say of the codecs that they can identify in a file."""

from __future__ import annotations

import io
from functools import lru_cache

import av


def is_known_to_matroska(codec: str) -> bool:
    """Return whether Matroska can say in a file that a stream has this codec; True for what is no audio codec.

    It has identifiers of its own, and stores all other audio with the numbers that AVI and WAV use. Without either,
    FFmpeg refuses the stream only when the output is put together, after hours perhaps.

    Args:
        codec: FFmpeg's name of the codec.
    """
    audio, known = _list_codecs()
    return codec not in audio or codec in known


@lru_cache(maxsize=1)
def _list_codecs() -> tuple[frozenset[str], frozenset[str]]:
    """Return the audio codecs that FFmpeg decodes, and those of them that Matroska can name."""
    names = set[str]()
    for muxer in ("matroska", "avi"):
        with av.open(io.BytesIO(), "w", format=muxer) as container:
            names |= container.supported_codecs
    # The muxers name encoders and decoders, such as mp3float, and a codec may be called otherwise than both.
    decoders = [decoder for name in av.codecs_available if (decoder := _find_decoder(name)) and decoder.type == "audio"]
    known = {decoder.canonical_name for decoder in decoders if {decoder.name, decoder.canonical_name} & names}
    return frozenset(decoder.canonical_name for decoder in decoders), frozenset(known)


def _find_decoder(name: str) -> av.Codec | None:
    try:
        return av.Codec(name, "r")
    except av.codec.codec.UnknownCodecError:
        return None
