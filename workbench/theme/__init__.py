"""Colours and CSS."""
