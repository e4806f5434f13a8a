"""Imported once, by the fork server: the code of every part, so that a part is up in milliseconds."""

from deploy.parts import PARTS, load

for part in PARTS:
    load(part.run)
