"""What a technician does on a line by hand, and what a running core remembers of its frames.

Job: frames in words, one question at a time on a free port, scan, identity, tests of the wire; frames and latencies
remembered by a running core, frames in files. Neighbours: `transport` and `modbus` below; podctl's `bus` verbs above.
Must not know: tags of a pod, sockets of a core, how a result is shown.
"""
