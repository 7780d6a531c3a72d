"""A Django app for tests: the product's captioning job, which can be held at every point of its life."""
