"""A Django app with a kind of job for tests: it writes files and rows, and can be held, failed and killed."""
