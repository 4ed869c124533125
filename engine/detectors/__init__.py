"""Face detectors: one file each, each run in worker processes of its own."""
