"""Elevation models that come in pieces over the network, and are read through before anything is cut from them."""
