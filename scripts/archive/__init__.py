"""An archive of IIIF on loopback, harvested and killed, beside another program for the same."""
