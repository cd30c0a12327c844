"""Any ranker over any ground truth: benchmarks, runs, figures of merit, reports."""
