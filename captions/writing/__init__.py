"""Captioners at work on whole areas: a job whose chunks are a few tiles each."""
