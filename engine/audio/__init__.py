"""Muted and bleeped audio: the spans, the replacement tracks, and proof that the rest is unchanged."""
