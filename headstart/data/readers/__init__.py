"""Ways to read a text, one a file: each makes windows of tokens out of it, as ids that a backbone knows."""
