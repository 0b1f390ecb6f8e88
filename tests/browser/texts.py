"""Texts in the rows that the board shows."""

ERROR = "Timeout after 30 s\n" + "\n".join(f"  at step {n}" for n in range(40))
HOSTILE = "<script>alert(1)</script>"
# As long as such names are in a PLM.
FAILED_RUN = {
    "status": "failed",
    "target_object": "ChangeRequest",
    "rule_id": "rule-check-where-used",
    "from_state": "review",
    "to_state": "approved",
    "result": {"result_code": "PERMISSION_DENIED"},
    "last_error": "HTTP 503 Service Unavailable: PUT https://dms.pun-01.example/api/documents/DOC-023471",
}
