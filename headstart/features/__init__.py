"""The frozen part, computed once: extraction and the content-addressed store."""
