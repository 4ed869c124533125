"""The page Sign off, part by part."""
