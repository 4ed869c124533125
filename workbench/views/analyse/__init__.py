"""The page Analyse: filters, views, exports."""
