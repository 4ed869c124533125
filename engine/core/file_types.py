"""File endings of still pictures. Those of videos are in the table of engine/media/containers.py."""

from __future__ import annotations

JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})

STILL_SUFFIXES = JPEG_SUFFIXES | {".bmp", ".jp2", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
"""Endings of files that hold one picture."""
