"""The reuse graph: which pictures of a collection share which part, as data for other programs and as a page."""
