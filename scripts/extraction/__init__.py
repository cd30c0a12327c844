"""The cost of extraction against the accuracy that it gives."""
