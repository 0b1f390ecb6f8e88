"""Texts in the rows that the board shows."""

ERROR = "Timeout after 30 s\n" + "\n".join(f"  at step {n}" for n in range(40))
HOSTILE = "<script>alert(1)</script>"
