"""Films as PyAV reads them: facts, and frames at their presentation times. Start at `film.py`.

`reader` is an open film. `containers` opens a file and nothing but that file, `decoding` makes frames of its packets,
`deinterlacing` makes fields whole, `seeking` finds the frame of a time, `measuring` the end, `picture` makes pixels of
a frame (upright, square pixels; `hdr`: in the colours of a screen), `times` and `types` are values. PyAV (BSD-3-Clause)
is the extra `video`; its wheels hold FFmpeg with x264 and x265, which are GPL. bof calls what the user has installed,
and holds none of it. `film`, `times` and `types` can be imported without it.
"""
