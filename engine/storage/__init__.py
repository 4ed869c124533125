"""The data folder and how files get there: atomic writes, locks, append-only files."""
