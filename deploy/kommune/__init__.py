"""A synthetic municipality: made-up families whose services send what real fagsystemer send, over real HTTP.

Everything but `klokke` and `kjoring` is pure: the same seed and day give the same bodies, so a restart repeats itself
and the backbone's idempotence makes the repeat harmless. Numbers are Tenor numbers; no person exists.
"""
