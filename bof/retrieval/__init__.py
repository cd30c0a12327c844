"""A query becomes a ranking: votes, shortlist, geometry, evidence, expansion, global descriptors, fusion."""
