"""Answers in the words of the web of archives: W3C annotations, and canvases and manifests of IIIF. Plain values."""
