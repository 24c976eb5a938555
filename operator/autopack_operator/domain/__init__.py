"""Pure rules: what the resources mean and what should happen next. No I/O, no clock, no Kubernetes client."""
