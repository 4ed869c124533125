"""Audio that is not kept as it is: which spans are muted or bleeped, how, and whether nothing else was changed."""
