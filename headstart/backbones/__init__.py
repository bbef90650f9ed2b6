"""A pretrained network as a chain of stages, with its preprocessing, licence and source; one file per provider."""
