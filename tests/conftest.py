"""What every kind of test starts from: the fixtures of tests/support, haste, ports, and an end in order."""

pytest_plugins = [
    "tests.support.ending",
    "tests.support.fixtures",
    "tests.support.haste",
    "tests.support.ports",
]
