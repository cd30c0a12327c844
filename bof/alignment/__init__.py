"""Two pictures laid over each other by the transform that geometry found, and what their pixels say."""
