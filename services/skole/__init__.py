"""Skole: FINT Utdanning resources."""
