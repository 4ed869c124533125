"""The audio section of the Sign off page: keep the audio, or mute or bleep spans, each for a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import streamlit as st

from engine import release
from engine.audio.replacement_tracks import stream_extents
from engine.audio.spans import AudioSpan, add_span
from engine.errors import InputError
from engine.media.facts import StreamInfo
from engine.runs import Run
from workbench.core import audio_choice, caches, formatting
from workbench.core.formatting import escape_markdown
from workbench.views.signoff import summary

_LISTEN_MARGIN_S = 2.0
"""Seconds before and after a span that the excerpt includes."""
_KIND_LABELS = {"mute": "Silence (mute)", "bleep": "Tone (bleep)"}


def show_audio_decision(run: Run, snapshot: release.SignOffSnapshot) -> None:
    """Show what happens to the audio, and the form to change it."""
    st.header("Audio", anchor=False)
    streams = audio_choice.list_kept_streams(run)
    if not streams:
        st.caption("The source has no audio.")
        return
    st.caption(
        "A voice can identify a person, like a face. The audio is kept unchanged except for spans that you mute or "
        "bleep. The signature covers this decision."
    )
    st.html(
        summary.build_table(
            ["Stream", "Seconds from the first frame", "Result"], _describe_streams(streams, snapshot.terms.audio)
        )
    )
    if snapshot.terms.audio:
        _show_spans(run, snapshot.terms.audio)
    _show_excerpt(run, snapshot.terms.audio, streams)
    _show_span_form(run, snapshot.terms.audio, streams)


def _describe_streams(streams: Sequence[StreamInfo], spans: Sequence[AudioSpan]) -> Iterator[Sequence[str]]:
    for number, (stream, extent) in enumerate(zip(streams, stream_extents(streams), strict=True), start=1):
        language = f", {stream.language}" if stream.language not in {None, "und"} else ""
        lasts = "unknown" if extent.end is None else f"{float(extent.start or 0):.3f} to {float(extent.end):.3f}"
        places = [span.place for span in spans if span.is_for_stream(number)]
        fate = f"{' and '.join(places)}; stored without loss" if places else "kept unchanged"
        yield f"{number} ({stream.codec}{language})", lasts, fate


def _show_spans(run: Run, spans: Sequence[AudioSpan]) -> None:
    """Show the spans, each with a button that removes it."""
    for place, span in enumerate(spans):
        words, button = st.columns([5, 1], vertical_alignment="center")
        streams = "all streams" if span.streams is None else f"stream {', '.join(map(str, span.streams))}"
        where = f"{span.start:g} to {span.end:g} s in {streams}"
        words.markdown(f"**{span.kind.capitalize()}** {where}: {escape_markdown(span.reason)}")
        label = f"Remove the {span.place}"
        if button.button("Remove", key=f"audio-back-{place}", help=label, width="stretch"):
            _store_spans(run, tuple(other for other in spans if other is not span))


def _show_excerpt(run: Run, spans: Sequence[AudioSpan], streams: Sequence[StreamInfo]) -> None:
    """Play an excerpt as it would be released: around the newest span, or where the person chooses."""
    if not st.toggle("Listen to the audio", key=f"listening-{run.id}"):
        return
    newest_span = spans[-1] if spans else None
    begin = max(0.0, newest_span.start - _LISTEN_MARGIN_S) if newest_span else 0.0
    until = newest_span.end + _LISTEN_MARGIN_S if newest_span else 10.0
    # The key has the proposed window, so that a new span moves the excerpt to it.
    key = f"{run.id}-{begin}-{until}"
    first, last, which = st.columns(3)
    start = first.number_input("Play from (s)", value=begin, step=1.0, format="%.3f", key=f"from-{key}")
    stop = last.number_input("Play to (s)", value=until, step=1.0, format="%.3f", key=f"to-{key}")
    number = which.selectbox("Stream to play", range(1, len(streams) + 1), key=f"stream-{run.id}")
    try:
        with st.spinner("Preparing the excerpt"):
            excerpt = caches.get_audio_excerpt(run, streams[number - 1].index, number, tuple(spans), (start, stop))
    except InputError as error:
        st.error(formatting.escape_markdown(str(error)))
    else:
        st.audio(excerpt, format="audio/wav")


def _show_span_form(run: Run, spans: Sequence[AudioSpan], streams: Sequence[StreamInfo]) -> None:
    with st.expander("Mute or bleep a span"), st.form("audio-span", border=False):
        kind, start, end = st.columns(3)
        chosen = kind.radio("Replace with", list(_KIND_LABELS), format_func=_KIND_LABELS.__getitem__, key="audio-kind")
        first = start.number_input("From (s)", value=0.0, step=0.1, format="%.3f", key="audio-start")
        last = end.number_input("To (s)", value=1.0, step=0.1, format="%.3f", key="audio-end")
        stream_numbers = st.multiselect("Streams (empty: all)", list(range(1, len(streams) + 1)), key="audio-streams")
        reason = st.text_input("Reason (required)", key="audio-reason")
        st.caption(
            "Seconds count from the first frame. The reason appears in the certificate: describe what is hidden, do "
            "not write the name itself."
        )
        if st.form_submit_button("Add span"):
            _add_span(run, spans, streams, (chosen, first, last, reason, tuple(sorted(stream_numbers)) or None))


def _add_span(run: Run, spans: Sequence[AudioSpan], streams: Sequence[StreamInfo], values: tuple[object, ...]) -> None:
    try:
        span = AudioSpan(*values)  # type: ignore[arg-type]
        chosen = add_span(spans, span, stream_extents(streams))
    except ValueError as error:
        st.error(formatting.escape_markdown(f"That span cannot be used: {error}."))
    except InputError as error:
        st.error(formatting.escape_markdown(str(error)))
    else:
        _store_spans(run, chosen)


def _store_spans(run: Run, spans: tuple[AudioSpan, ...]) -> None:
    audio_choice.choose_audio_spans(run, spans)
    st.rerun()
