"""Face detectors, one file each, run in worker processes of their own."""
