"""The sign-off: signed statements, the order of its steps, and the next step of a run."""
