"""The HTTP edge: one resource a file, and what all of them share."""
