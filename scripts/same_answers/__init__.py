"""Proof that a change of the code changes no answer: all answers recorded before and after, and compared."""
