"""The resources as models: the single source of the CRDs."""
