"""Runs at work: performed in this process or by the worker of the queue, which outlives the process that added them."""
