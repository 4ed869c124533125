"""Plant faces into copies of a source and count how many the detection finds."""
