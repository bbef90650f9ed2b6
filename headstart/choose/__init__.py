"""The evidence ladder: which backbone, which depth, which strategy, within a budget."""
