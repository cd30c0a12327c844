"""IIIF: the pictures of the index as image services, and answers as annotations, manifests and collections."""
