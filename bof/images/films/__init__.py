"""Films as PyAV reads them: facts, and frames at their presentation times. Start at `film.py`.

`containers` opens a file and nothing but that file, `decoding` makes frames of its packets, `seeking` finds the frame
of a time, `picture` makes pixels of a frame (upright, square pixels, `hdr` as others), `times` and `types` are values.
PyAV (BSD-3-Clause) is the extra `video`; its wheels hold FFmpeg with x264 and x265, which makes them GPL. bof calls
what the user installed, and holds none of it. Only `times` and `types` can be imported without it.
"""
