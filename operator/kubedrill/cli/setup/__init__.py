"""Before a drill: opting in, checking a file, looking at what a drill would meet."""
