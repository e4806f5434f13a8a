"""What every side of the backbone agrees on. Pure: no I/O, no clock, no settings."""
