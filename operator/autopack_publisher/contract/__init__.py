"""The protocol of the publisher: its route, fields, states. Light: no library is needed to read it."""
