"""`podctl kernels`: compile what decides, prove that it gives the stored bits, tell the state of the cache.

Neighbours: `selftest`. Must not know a pod.
"""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def kernels(as_json: bool) -> int:
    """Compile and self-test the kernels; show the state of their cache."""
    from pod_controller.selftest import warm  # brings the compiler in

    report = warm()
    if as_json:
        click.echo(json.dumps({**report._asdict(), "passed": report.passed}))
    else:
        click.echo(f"self-test: {'passed' if report.passed else 'FAILED'} (answer {report.answer[:16]})")
        click.echo(f"cache: {report.cache_hits} loaded, {report.cache_misses} compiled, in {report.cache_path}")
    if not report.passed:
        text = f"E901 kernels: this machine answers {report.answer[:16]}, not {report.expected[:16]}: outputs stay off"
        click.echo(f"{text}; run deploy/install again, and if it stays, do not run this pod", err=True)
        return 1
    return 0
