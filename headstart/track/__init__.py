"""A run told to a tracker, while it goes or afterwards; one file a tracker."""
