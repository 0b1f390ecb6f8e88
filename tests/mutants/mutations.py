"""Small wrong changes of a program: one comparison, sum, condition, constant, call or return at a time."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
# Forgotten as easily as written.
_METHODS = ("strip", "lower")
# What no test can see: annotations, and how classes and functions are declared.
_UNSEEN = {"annotation", "returns", "decorator_list", "bases"}


class Mutant(NamedTuple):
    """A changed program: its whole source, and in which line what became what."""

    line: int
    was: str
    now: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """All changes of a program, one at a time, in the order of its lines."""
    tree = ast.parse(source)
    found = [(node, change) for node in _seen(tree) for change in _changes(node)]
    for node, change in sorted(found, key=lambda each: _line(each[0])):
        was, now = (ast.unparse(each).partition("\n")[0].strip() for each in (node, change))
        _Swap(node, change).visit(tree)
        yield Mutant(_line(node), was, now, ast.unparse(ast.fix_missing_locations(tree)))
        _Swap(change, node).visit(tree)


def _line(node: ast.AST) -> int:
    """A comprehension's condition has no line of its own, but what it names has."""
    lines: list[int] = [part.lineno for part in ast.walk(node) if isinstance(part, (ast.expr, ast.stmt))]
    return min(lines)


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


def _seen(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes whose change a test could see."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in _UNSEEN or (isinstance(node, ast.ClassDef) and name == "keywords"):
            continue
        if isinstance(node, ast.keyword) and node.arg == "strict":
            continue  # as zip's, it says what holds in any case
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _says_nothing(child):
                yield from _seen(child)


def _says_nothing(node: ast.AST) -> bool:
    """A docstring, an alias of a type, or a part of an f-string, which is changed as a whole."""
    match node:
        case ast.Expr(ast.Constant(str())) | ast.Import() | ast.ImportFrom():
            return True
        case ast.Assign(value=ast.Subscript(value=ast.Name(id="Literal" | "Callable" | "Mapping"))):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
            return True
        case ast.FormattedValue():
            return True
    return False


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left, [first, *rest], comparators):
            for other in _COMPARISONS[type(first)]:
                yield ast.Compare(left, [other(), *rest], comparators)
        case ast.BinOp(left, operator, right) if type(operator) in _OPERATORS:
            yield ast.BinOp(left, _OPERATORS[type(operator)](), right)
        case ast.AugAssign(target, operator, value) if type(operator) in _OPERATORS:
            yield ast.AugAssign(target, _OPERATORS[type(operator)](), value)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)
        case ast.Call():
            yield from _calls(node)
        case ast.JoinedStr():
            yield ast.Constant("another text")
        case ast.Constant(value):
            yield from (ast.Constant(other) for other in _constants(value))
        case ast.comprehension() | ast.stmt():
            yield from _steps(node)


def _steps(node: ast.comprehension | ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.If(test, body, orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.comprehension(target, iterable, [condition], is_async):
            yield ast.comprehension(target, iterable, [], is_async)
            yield ast.comprehension(target, iterable, [ast.UnaryOp(ast.Not(), condition)], is_async)
        case ast.Return(value) if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.Expr():
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()


def _calls(call: ast.Call) -> Iterator[ast.expr]:
    match call:
        case ast.Call(ast.Name(name), [first, *_]) if _FUNCTIONS.get(name) == "list":
            yield ast.Call(ast.Name("list"), [first], [])
        case ast.Call(ast.Name(name), arguments, keywords) if name in _FUNCTIONS:
            yield ast.Call(ast.Name(_FUNCTIONS[name]), arguments, keywords)
        case ast.Call(ast.Attribute(value, name), [], []) if name in _METHODS:
            yield value


def _constants(value: object) -> Iterator[bool | float | str | bytes]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield from (value + 1, value - 1)
        case str():
            yield f"{value} and more"
        case bytes():
            yield value + b" and more"
