"""SSB Barnevern v4: the file as it is described, read as a stream, and what it tells of a case."""
