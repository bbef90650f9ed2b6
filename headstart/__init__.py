"""headstart: transfer learning that computes the frozen part once and decides everything else on evidence."""
