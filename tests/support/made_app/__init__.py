"""A Django app for tests: writes down every tile that is made, and by which process."""
