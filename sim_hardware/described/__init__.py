"""Devices made from their descriptions alone, a bench of one line for each, and the battery that tries them."""
