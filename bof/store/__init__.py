"""The index on disk: catalogue, write-once segments with the inverted file, columns; one writer, many readers."""
