"""Samtykke: identity register, consents, keys, and the one place that decides what may go and who may
read.
"""
