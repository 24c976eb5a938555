"""kopf as an informer, and the cache that it fills. The only package that imports kopf."""
