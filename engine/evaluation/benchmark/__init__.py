"""A benchmark of video with exact truth: clips composed from pictures of packages, and scores for any tool on them."""
