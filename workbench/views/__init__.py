"""What each page shows, one package or module a page."""
