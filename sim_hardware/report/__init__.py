"""The page of a run: `podctl sim ... --report FILE.html`, one file that needs nothing else.

`page` fills it, `contents` says what is on it, `packing` makes numbers short; report.js and report.css draw, with uPlot
(uplot/, MIT licence beside it). Neighbours: `sim_hardware.sampler` saw the run, the verb asks for the page. Must not
know how a run is made.
"""
