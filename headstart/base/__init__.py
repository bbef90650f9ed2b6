"""The vocabulary, the errors, the training contract, discovery of plug-ins, seeds, hashes and files."""
