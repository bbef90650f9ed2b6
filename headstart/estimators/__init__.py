"""scikit-learn estimators: the house behind fit, predict and score."""
