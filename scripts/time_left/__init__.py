"""How true is the time left that indexing shows? Replayed in processor time, which other programs do not change."""
