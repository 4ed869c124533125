"""The page Review: what its canvas shows and says back, and frames drawn by lot."""
