"""Stills as browsers get them, in whichever style."""
