"""Live input and output: cameras, files, network protocols."""
