"""A running picture anonymised while it runs; what is not judged in time is covered whole."""
