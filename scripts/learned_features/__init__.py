"""Exports published models of local features as the ONNX files that `bof train_vocab --features` takes.

Needs PyTorch and the packages that carry the models, in an environment of its own: see docs/learned-features.md.
"""
