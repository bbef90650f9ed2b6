"""A run leaves the house: the sealed model, its card and its exports."""
