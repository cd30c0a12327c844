"""One overlay on every photograph of a collection: are the photographs still told apart?"""
