"""The Sign off page."""
