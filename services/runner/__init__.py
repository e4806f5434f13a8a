"""The one runner: takes events and formats for every registered service."""
