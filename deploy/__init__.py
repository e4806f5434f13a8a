"""Composition root: the command line, the all-in-one run, engines, images and migrations."""
