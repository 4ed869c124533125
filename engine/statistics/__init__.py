"""Statistics on plain numbers: binomial intervals, bootstrap, capture-recapture."""
