"""The Analyse page: filters, views and exports."""
