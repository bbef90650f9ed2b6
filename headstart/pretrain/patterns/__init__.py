"""Families of generated patterns: one file a family, each pure in (seed, class, instance).

Every family offers ``render(class_id, instances, *, size, seed) -> uint8 (n, 3, size, size)``. The class fixes the
parameters that make up the label; an instance varies what a label should survive: place, pose, thickness, colours.
No font, no glyph table, no digit and no photograph is read anywhere in here.
"""
