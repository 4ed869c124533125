"""The page Sign off."""
