"""Ports for servers of tests and the demo."""

from demo.process import free_port

MANY = 1_000


def test_a_port_that_somebody_was_told_is_given_to_nobody_else_before_he_listens() -> None:
    ports = [free_port() for _ in range(MANY)]
    assert len(set(ports)) == MANY
