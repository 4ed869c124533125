"""Anonymise many files: list them, skip what is done, work through the rest, and summarise."""
