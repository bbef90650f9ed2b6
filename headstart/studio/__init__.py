"""The whole job in a local web page: choose data, look at them, fit, read the report, try the model."""
