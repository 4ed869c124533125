"""Evidence of what may have been missed: leak check, planted faces, re-identification, residual risk."""
