"""Writing an output: encoder, muxer, and which container can hold which stream."""
