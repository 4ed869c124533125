"""The page Detect: footage, mode, options, estimate, start."""
