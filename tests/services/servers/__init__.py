"""Servers that tests talk to: `start(box)` starts one and gives the environment in which tests find it."""
