"""The cause-and-effect table: what makes which unit go to its fail state, until when, and who may lift it.

`table` is the one place where rows stand; `causes` and `effects` turn them into watches on this pod's signals and
elements; `trips` follows them once a tick; `bypass` is the one maintenance bypass; `matrix` prints it all.
"""
