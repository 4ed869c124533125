"""The Detect page: footage, mode, options, estimate and start."""
