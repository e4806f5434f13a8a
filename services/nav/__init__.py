"""NAV: social services' digisos files."""
