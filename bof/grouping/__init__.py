"""Groups of pictures that are copies of each other, or show the same scene; and what to do with them."""
