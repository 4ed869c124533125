"""The page Detect: footage, mode and options, what is to be expected of them, and the start."""
