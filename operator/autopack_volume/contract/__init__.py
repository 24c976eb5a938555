"""The protocol of the volume service: routes, fields, states, reasons. Light: what a run's pod starts imports it."""
