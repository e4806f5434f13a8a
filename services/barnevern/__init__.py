"""Barnevern: what its fagsystem and KS Fiks send."""
