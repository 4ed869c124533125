"""Calls to Amazon Rekognition: rate limit, answer cache, error messages."""
