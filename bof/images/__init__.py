"""Picture files: decoding, drawing, saliency."""
