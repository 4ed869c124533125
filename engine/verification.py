"""Every law that can be checked on the files: source, record and output side by side. Runs no model."""
