"""Putting captions before people, one by one, the most doubtful first."""
