"""Films composed by program with their truth, queries and edited clips made from them, and peers on the same films."""
