"""Simple models without pretraining; they can win, so they can be sealed too."""
