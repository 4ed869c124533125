"""Video and audio files: the only package that knows PyAV and FFmpeg."""
