"""ONNX models from anybody: their files are checked, tried elsewhere within limits, and run with the same bits."""
