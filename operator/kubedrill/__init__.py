"""KubeDrill: live incident drills on Kubernetes, measured from evidence, always put back."""

__version__ = "0.1.0"
