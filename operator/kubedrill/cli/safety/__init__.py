"""Putting back by hand, whatever else is gone, and removing KubeDrill."""
