"""Records compared with ground truth: recall, precision, coverage, by face size."""
