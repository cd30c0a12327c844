"""Searches on Dask's workers: the second implementation behind `shortlist.VoteAndVerify`. Start at `stages.py`."""
