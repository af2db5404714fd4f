"""Inject and put back, so that no crash, race or late packet leaves anything behind. See README.md."""
