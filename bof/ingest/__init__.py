"""Pictures come into the index: what changed, extraction, commits, backfill of columns, following folders."""
