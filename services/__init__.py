"""Fagsystem to Kafka: one package a service, and the runner that serves them all."""
