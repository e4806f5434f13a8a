"""Coordination: one timeline per child, and the duty to cooperate as tasks with an owner and a date."""
