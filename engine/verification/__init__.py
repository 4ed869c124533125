"""Checks of a finished output against its source and its record."""
