"""Changes of the index that run after their request: the queue and its kinds of jobs."""
