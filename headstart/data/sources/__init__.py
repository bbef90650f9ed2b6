"""Where a data set comes from; one file per kind of source."""
