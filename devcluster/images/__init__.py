"""Container images without a registry: made here, put straight into the cluster."""
