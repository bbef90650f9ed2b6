"""A source becomes a checked, split, hashed data set; one file per modality and per source."""
