"""Search an output for faces that still show."""
