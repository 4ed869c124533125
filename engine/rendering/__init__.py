"""From a plan to an output video."""
