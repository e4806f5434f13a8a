"""Kafka to people: what is done with the events that services publish."""
