"""The Review page: the data of its canvas, and the random sample check."""
