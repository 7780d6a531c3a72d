"""Captions that others wrote, taken in from files by the names of tiles."""
