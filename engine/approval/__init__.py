"""Sign-off as rules on values: signed statements, their order, and what comes next."""
