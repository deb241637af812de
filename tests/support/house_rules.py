"""The rules of the house that no ready-made checker knows, each a function from a module's source to its faults.

Neighbour: tests/test_style.py runs them over the three packages and over planted violations. A rule sees a
module as its path relative to the checkout, its text and its tree. It must not import the code under test.
"""

import ast
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from typing import NamedTuple

MAX_FUNCTION_LINES = 45
MAX_FILE_LINES = 300

# One list for the whole project. A suffix is the last part of a name; a name may also be the bare suffix (`ratio`).
UNIT_SUFFIXES = (
    *("kg", "g", "kg_s", "kg_h", "kg_d", "kg_m3", "kg_kg", "g_l", "mg_l", "kmol_m3"),  # mass, flow, content
    *("mmol_l", "mmol_g", "mmol_l_d", "mmol_l_bar", "bar", "per_k"),  # amounts, and the gas over them
    *("m", "mm", "m2", "m3", "m_s", "m_s2", "m3_s", "m3_h", "m3_d", "m3_kg", "m2_s"),  # length, volume, flow
    *("s", "ms", "us", "ns", "h", "d", "per_s", "per_h", "per_d", "hz", "baud", "rpm"),  # time and rates
    *("degc", "k", "pa", "kpa", "mbar", "w", "kw", "w_k", "j", "kj", "j_kg_k", "a", "ma", "ua", "v", "n"),  # physics
    *("frac", "ratio", "pct", "count", "ph", "ppm", "score", "weight"),  # pure numbers that say so
)
# Names whose unit is another's: that of the point, the instrument or the caller's formula.
UNITLESS_NAMES = {
    "value": "a point's value, in the unit its description names",
    "raw": "the bare number in registers, before any scale",
    "low": "lower end of a point's range, in the point's unit",
    "high": "upper end of a point's range, in the point's unit",
    "good_low": "lower end of what a healthy instrument gives, in the point's unit",
    "good_high": "upper end of what a healthy instrument gives, in the point's unit",
    "span_low": "value at 4 mA, in the point's unit",
    "span_high": "value at 20 mA, in the point's unit",
    "kg_per_unit": "mass per unit of the point, whatever that is",
    "scale": "units of the point per register step",
    "offset": "value of the point at register zero",
    "raw_value": "what an instrument said before its calibration, in the point's unit",
    "wished_value": "what a hand wants a point to be, in the point's unit",
    "true_value": "what a standard is, in the point's unit",
    "spread_value": "half of what settled readings wandered, in the point's unit",
    "doubt_value": "how far a standard may be off, in the point's unit",
    "stuck_band_value": "within which a value counts as standing still, in the point's unit",
    "band_value": "within which a settled reading stands, in the point's unit",
    "residual_value": "how far a calibration misses its points, in the point's unit",
    "drift_value": "by how much a calibration was off at the next one, in the point's unit",
    "limit_value": "the most that may be, in the point's unit",
    "figure": "what a bench found, in the unit its row names",
    "goal": "what a bench's figure is set against, in the same unit",
}
PUBLISHED_MODELS = ("sim_hardware/adm1/*.py", "sim_hardware/culture*.py", "sim_hardware/am2*.py")
# The clock itself, what measures speed, and the slaves on real pseudo-terminals, which live in real time.
ASKS_THE_TIME = (
    *("hal/clock.py", "sim_hardware/bench/*.py", "sim_hardware/wire.py"),
    *("sim_hardware/verbs/cli_bench.py", "sim_hardware/verbs/cli_guard.py"),
)
PRINTS = ("*/cli*.py", "*/console*.py")
CATCHES_ALL = ("pod_controller/loop.py", "pod_controller/cli.py")
KERNEL_IMPORTS = ("numpy", "numba", "math", "typing", "__future__", "pod_controller.kernels")
KERNEL_FOUNDATION = "pod_controller/kernels/compile.py"  # the decorator and the cache: it may use files
SIMULATION_WORDS = re.compile(r"simulat|is_sim\b|\bsim_|testing|under_test|pytest|unittest|mocked", re.IGNORECASE)


class Module(NamedTuple):
    """One source file as the rules see it; path is relative to the checkout, with slashes."""

    path: str
    source: str
    tree: ast.Module


Rule = Callable[[Module], Iterator[str]]


def parse(path: str, source: str) -> Module:
    """A module ready for the rules."""
    return Module(path, source, ast.parse(source))


def names_carry_units(module: Module) -> Iterator[str]:
    """A float parameter or field says its unit in its name; published models keep the names of their papers."""
    if _matches(module.path, PUBLISHED_MODELS):
        return
    for node in ast.walk(module.tree):
        named: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            named = [(argument.arg, argument.annotation) for argument in arguments]
        elif isinstance(node, ast.ClassDef):
            fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
            named = [(item.target.id, item.annotation) for item in fields if isinstance(item.target, ast.Name)]
        for name, annotation in named:
            if annotation is not None and _is_float(annotation) and not _has_unit(name):
                yield f"{module.path}:{annotation.lineno} {name} is a float without a unit in its name"


def _is_float(annotation: ast.expr) -> bool:
    """float, float | None, Optional[float], Annotated[float, ...], Final[float], also written as a string."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _is_float(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.Name):
        return annotation.id == "float"
    if isinstance(annotation, ast.BinOp):
        return _is_float(annotation.left) or _is_float(annotation.right)
    wrappers = ("Optional", "Annotated", "Final", "ClassVar")
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).split(".")[-1] in wrappers:
        inner = annotation.slice
        return _is_float(inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
    return False


def _has_unit(name: str) -> bool:
    return name in UNITLESS_NAMES or any(name.lower() == s or name.lower().endswith(f"_{s}") for s in UNIT_SUFFIXES)


def sizes_hold(module: Module) -> Iterator[str]:
    """No function over 45 lines, no file over 300."""
    line_count = module.source.count("\n")
    if line_count > MAX_FILE_LINES:
        yield f"{module.path} has {line_count} lines, limit {MAX_FILE_LINES}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{module.path}:{node.lineno} {node.name} has {length} lines, limit {MAX_FUNCTION_LINES}"


def modules_say_their_job(module: Module) -> Iterator[str]:
    """Every module that holds code starts with a docstring."""
    if module.tree.body and ast.get_docstring(module.tree) is None:
        yield f"{module.path}:1 no docstring: job, neighbours, what it must not know"


def only_the_clock_asks_the_time(module: Module) -> Iterator[str]:
    """The operating system's time is asked in hal/clock.py and where speed is measured."""
    if _matches(module.path, ASKS_THE_TIME):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and "time" in _imported(node):
            yield f"{module.path}:{node.lineno} imports time: take now_ns as an argument, or a Clock"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value).split(".")[-1]
            if node.func.attr in ("now", "utcnow", "today") and owner in ("datetime", "date"):
                yield f"{module.path}:{node.lineno} asks the system for the date: use hal.clock"
            if node.func.attr == "time" and owner.endswith(("loop", "get_running_loop()", "get_event_loop()")):
                yield f"{module.path}:{node.lineno} asks the event loop for the time: use hal.clock"


def only_verbs_print(module: Module) -> Iterator[str]:
    """`print` only where a person reads it."""
    if _matches(module.path, PRINTS):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{module.path}:{node.lineno} prints: return the text, or log"


def nothing_knows_it_is_simulated(module: Module) -> Iterator[str]:
    """No decision outside sim_hardware depends on being simulated or tested."""
    if module.path.startswith("sim_hardware/"):
        return
    for node in ast.walk(module.tree):
        conditions: list[ast.expr] = []
        if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
            conditions = [node.test]
        elif isinstance(node, ast.comprehension):
            conditions = node.ifs
        elif isinstance(node, ast.Match):
            conditions = [node.subject]
        for condition in conditions:
            if SIMULATION_WORDS.search(ast.unparse(condition)):
                yield f"{module.path}:{condition.lineno} decides by being simulated: give it another neighbour"


def only_the_loop_catches_all(module: Module) -> Iterator[str]:
    """A broad except lives in the loop and in podctl's main, nowhere else."""
    if _matches(module.path, CATCHES_ALL):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in caught):
                yield f"{module.path}:{node.lineno} catches everything: name what can happen"


def kernels_import_numbers_only(module: Module) -> Iterator[str]:
    """Kernels import numpy, numba, math and each other."""
    if not module.path.startswith("pod_controller/kernels/") or module.path == KERNEL_FOUNDATION:
        return
    for node in ast.walk(module.tree):
        for name in _imported(node):
            if not any(name == allowed or name.startswith(f"{allowed}.") for allowed in KERNEL_IMPORTS):
                yield f"{module.path}: a kernel imports {name}; allowed are {', '.join(KERNEL_IMPORTS)}"


def no_order_comes_from_a_set(module: Module) -> Iterator[str]:
    """No loop runs over a set as it lies: its order differs from process to process."""
    sets = {_set_name(node) for node in ast.walk(module.tree)} - {None}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.For | ast.comprehension):
            is_named = isinstance(node.iter, ast.Name) and node.iter.id in sets
            if is_named or _is_set(node.iter):
                yield f"{module.path}:{node.iter.lineno} iterates over a set: sort it"


def _set_name(node: ast.AST) -> str | None:
    """Name that a statement binds to a set; None for any other node."""
    if isinstance(node, ast.Assign) and _is_set(node.value) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
        kind = ast.unparse(node.annotation).split("[")[0].split(".")[-1]
        if kind in ("set", "frozenset", "Set", "AbstractSet"):
            return node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
    return None


def _is_set(node: ast.expr) -> bool:
    """A set display, a set comprehension, set(...), frozenset(...), or such sets joined by operators."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return _is_set(node.left) or _is_set(node.right)
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return is_call or isinstance(node, ast.Set | ast.SetComp)


def _imported(node: ast.AST) -> list[str]:
    """Absolute names of the modules that an import statement names; nothing for other nodes."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or ""]
    return []


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


RULES: tuple[Rule, ...] = (
    names_carry_units,
    sizes_hold,
    modules_say_their_job,
    only_the_clock_asks_the_time,
    only_verbs_print,
    nothing_knows_it_is_simulated,
    only_the_loop_catches_all,
    kernels_import_numbers_only,
    no_order_comes_from_a_set,
)
