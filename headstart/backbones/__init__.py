"""A pretrained network as a chain of stages, with its preprocessing, licence and source; one file per provider."""

import os

# The hub's client reads it once, when it is imported; whoever wants telemetry sets it to 0.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
