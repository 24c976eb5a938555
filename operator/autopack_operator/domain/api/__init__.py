"""The custom resources as pydantic models; the CRDs under crds/ are generated from them."""
