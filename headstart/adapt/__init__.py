"""Adaptation regimes, one sub-room each (domain, few-shot, continual, federated, ...); one file per method."""
