"""What of a film becomes pictures of an index: shots, keyframes, and the features that last."""
