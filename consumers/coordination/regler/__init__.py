"""The rules: each a small pure module with its provisions, occasion, owner, date, and what meets the duty."""
