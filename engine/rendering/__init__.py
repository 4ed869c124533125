"""Renders the output: from source, record, review and style to a video and its report."""
