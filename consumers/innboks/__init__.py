"""Barnevern's inbox: statutory reports from every service, opened for barnevern alone."""
