"""Machinery that every process needs, once."""
