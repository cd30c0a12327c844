"""Pictures of archives: manifests and collections of IIIF, their image services, and the harvest of both."""
