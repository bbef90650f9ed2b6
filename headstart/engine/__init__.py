"""The only training loop: fit, checkpoint, resume, precision, devices, run directory."""
