"""A technician's work on a pod: calibrate instruments, stroke actuators, hand the pod over.

What is found is kept in a book beside the configuration (`hal.calibration_file`), and the core takes it from there.
Nothing here moves an output: a stroke is a wish like any other, and the guard has the last word.
"""
