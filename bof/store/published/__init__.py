"""An index as immutable files in an object store, and what reads it. Start at `publishing.py` and `copies.py`."""
