"""Transferability scores, pure functions of features and labels; one file per score."""
