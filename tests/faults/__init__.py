"""Faults on purpose: the whole of Samspor under load, hurt in every way we know, and checked (`make faults`)."""
