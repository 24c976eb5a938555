"""The protocol of the model gateway: routes, headers, fields, reasons. Light: nothing of the service is imported."""
