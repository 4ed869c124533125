"""What all pages share: session keys, caches, links, formatting and background tasks."""
