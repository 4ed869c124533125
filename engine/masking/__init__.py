"""Styles, masks, and how they are painted onto the planes of a picture."""
