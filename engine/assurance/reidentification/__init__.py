"""Try to identify masked people with a face-recognition model."""
