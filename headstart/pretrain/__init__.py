"""Making a source model: supervised, self-supervised, procedural."""
