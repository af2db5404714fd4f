"""The operator's process: everything that touches the world, in turns."""
