"""The bus tools of `podctl bus`: what a technician does on a line, and what a running core tells of its lines.

Neighbours: `hal.bus` does it, here are options, words and exit codes. Must not know protocols.
"""
