"""The intention anchor: the document in which a project's owner says what autonomous runs may do."""
