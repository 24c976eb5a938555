"""Readers: files, logs, patches, bundles, forecasts. Nothing on the volume changes by it."""
