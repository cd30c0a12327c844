"""Local features: SIFT keypoints and RootSIFT descriptors."""
