"""Detections as runs: done here and now, or taken from a queue by a process that outlives whoever filled it."""
