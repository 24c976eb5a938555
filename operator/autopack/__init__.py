"""Core library of Autopack: workspaces, leases, layout, anchors, and the local supervisor."""
