"""What to do where OpenCV cannot be loaded."""

ADVICE = (
    "bof needs OpenCV 5 and the libraries that it links to. In a slim container, take the OpenCV that links to none: "
    "pip uninstall opencv-contrib-python, and then: pip install opencv-contrib-python-headless; or install them "
    "(Debian: apt-get install libgl1 libglib2.0-0 libxcb1)"
)
