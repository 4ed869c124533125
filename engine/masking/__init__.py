"""Styles, masks, and painting them into the planes of a picture."""
