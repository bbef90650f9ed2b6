"""A sealed model behind HTTP: one process, one network, many clients, whose items are answered in batches."""
