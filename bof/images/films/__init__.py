"""Films as PyAV reads them: facts, and frames at their presentation times."""
