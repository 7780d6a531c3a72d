"""A Django app for tests: the product's release job, which can be held at any of its steps."""
