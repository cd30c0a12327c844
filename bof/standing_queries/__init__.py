"""Standing queries: watched pictures that every picture is compared with that comes into an index.

`storage` keeps the watch-list and its hits; `prepared` has a watched picture as a search needs it, `newcomers` what
came into the index as a small collection; `matching` says which of the one may show the other, asks these as a search
does, and records what is found. Start at `matching.py`.
"""
