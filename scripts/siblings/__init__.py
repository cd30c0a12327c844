"""Templates that many pictures share, drawn by program: a benchmark of look-alikes."""
