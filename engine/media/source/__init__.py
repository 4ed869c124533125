"""Reading a source: probe, decode, seek, and what to do about damage."""
