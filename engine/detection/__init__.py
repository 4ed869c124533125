"""From a source to a detection record."""
