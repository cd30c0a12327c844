"""Visual words: the vocabulary, nearest words, Hamming signatures, sampling and training."""
