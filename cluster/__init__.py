"""The real, throwaway Kubernetes cluster that drills are tried on: `python3 -m cluster --help`.

Standard library only, so that it runs before any virtual environment exists.
"""
