"""Cost against the size of a collection."""
