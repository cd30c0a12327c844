"""Every ranker in one table of accuracy, time and bytes."""
