"""An index in parts: ordinary indexes below one small catalogue. Start at `index.py`."""
