"""What is predicted: head, loss, metrics and decoding; one file per task."""
