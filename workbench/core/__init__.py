"""What every page shares: session keys, caches, links, wording, background tasks."""
