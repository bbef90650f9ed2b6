"""Pure functions of arrays: scores, intervals, calibration, and the linear solvers."""
