"""The page Review: what its canvas shows and sends back, and the random sample check."""
