"""Transferability scores: how well features suit labels, without training a network; one file a score.

Every file defines ``score(features (n, d), labels (n,)) -> float``, higher is better, and two constants: ``READS`` says
whether it takes "features" or the "outputs" (probabilities over the source classes) of a network that kept its source
head; ``TARGETS`` says which labels it is defined for, "classes" (any values, compared for equality) or "values" (real
numbers, in an array of floats).
"""
