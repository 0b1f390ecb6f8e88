"""Values that some code is likely to take for something else, for the strategies to choose from."""

from typing import Final

ALPHABET: Final = "aZ09_%\\\"'{}[],:;|/& \n\xa0\u3000ÀÉÖñéöЖЯяё文書🙂\u200b"
# Every kind of white space that str.strip() takes away, NUL being none.
SPACES: Final = (
    *("", "", "", " ", "\t\n", "\x0b\x0c\r", "\x1c\x1d\x1e\x1f", "\x85", "\xa0", "\u1680"),
    *(
        "\u2000\u2001\u2002\u2003\u2004\u2005\u2006",
        "\u2007\u2008\u2009\u200a",
        "\u2028\u2029",
        "\u202f\u205f\u3000",
    ),
)
STATUSES: Final = (
    *("failed", "failed", "failed", "failed", "FAILED", "Failed", "completed", "completed", "Completed"),
    *("warning", "WARNING", "open", "open", "open", "Open", "OPEN", "closed", "unknown", "Unknown"),
    *("", " ", "failed ", " open", "a|b\nc", "it's", '"q"\\'),
    *("ÀBGESCHLOSSEN", "àbgeschlossen", "ОШИБКА", "Ошибка", "失敗"),
)
TASK_TYPES: Final = (
    *("document_sync_push",) * 12,
    *("document_sync_pull", "document_sync_", "document_sync_%", "document_sync_文"),
    *("documentXsyncYpush", "document_sync", "DOCUMENT_SYNC_x", "Document_sync_push"),
    *("xdocument_sync_", " document_sync_push", "document\\_sync_push", ""),
)
# Sites and template keys. \u200b and \ufeff look like white space and are none.
NAMES: Final = (
    *("S1", "S1", "S1", "S1", "s1", "S_", "7", "7.0", "0", "100", "0.10", "true", "null", "%"),
    *("a b", 'q"\\', "Ж1", "工場", "", "", "\u200b", "\ufeff"),
)
NUMBERS: Final = (
    "7",
    "7.0",
    "0",
    "0.0",
    "-0",
    "-0.0",
    "1e2",
    "0.10",
    "0e3",
    "-1.50",
    "1.20e1",
    "1e-7",
    "1e25",
)
NEITHER: Final = ("null", "true", "false", "{}", "[]", '["S1"]', '{"site_id": "S1"}')
NOT_OBJECTS: Final = ("[]", '["site_id", "result_code"]', '"site_id"', '""', "7", "0", "null", "true")
ODD_DOCUMENTS: Final = (*NOT_OBJECTS, "{}", '[{"site_id": "S1", "result_code": "OK"}]', '"result_code"')
ODD_TEMPLATES: Final = (*NOT_OBJECTS, "{}", '{"key": "S1"}', '{"key": "S1", "is_template_version": true}')
VALUES: Final = (
    *("true", "false", "null", '""', '" "', '"0"', '"false"', "[]", "{}", "[0]", '{"a": 0}', "[[]]"),
    *NUMBERS,
)
RESULT_CODES: Final = (
    *('"OK"', '"OK"', '"OK"', '"ok"', '"OK "', '"UNKNOWN"', '"unknown"', '"null"', '"[]"'),
    *(f'"{"é" * 200}"', f'"{"é" * 201}"', f'"{"🙂" * 300}"', f'["{"x" * 200}"]', f'{{"é": "{"y" * 192}"}}'),
    *("9" * 100, "-0." + "9" * 99, "8" * 101, "1" + "0" * 5000, "7e-150", f"[{'6' * 150}]"),
    *('"Ошибка"', '"エラー"', r'"\u00e9\ud83d\ude42"', r'"its \"so\" \\ it"'),
    *(r'"a\nb\u2028\u001f|"', '["é", 1e2, {"b": null}]', '{"k": 1, "k": 2}', "1e400"),
    r'{"bb": [1.0, -0], "a": "\"\\\u0001\u007f\/", "é": {}, "z": true}',
    *VALUES,
)
TARGETS: Final = (
    *("Part", "Part", "Part", "part", "ECO", " Part ", "Part\n", "P_rt", "%"),
    *("Ж", "図面", "7", "it's", ""),
)
DESCRIPTIONS: Final = (
    *("Leak", "leak", "LEAK", "crack at É", "CRACK AT é", "ТРЕЩИНА", "трещина", "割れ"),
    *("a  b", "a b", "A\tB", "\u200bleak", "\ufeff", "-"),
)
SEVERITIES: Final = ("minor", "Minor", "MAJOR", "major", "", " ", "КРИТ", "крит")
RESPONSIBILITIES: Final = (
    *(None, None, "", "unassigned", "Unassigned", " unassigned", " ", "QA", "qa", "QA "),
    *("Группа", "品質", '"q"'),
)
INTEGERS: Final = (0, 0, 1, 1, 2, 3, 3, 5, -1, -3, 2_147_483_647, -2_147_483_648)
TEXTS: Final = (
    None,
    "",
    "boom",
    'Traceback:\n  "x" \\ é 文 🙂\u2028',
    "\x01\x1f\x7f",
    "a" * 300,
    "文" * 8000,
    "é" * 8001,
)
ID_STARTS: Final = ("", "a", "A", "-", "_", "é", "文", "🙂", "\uffff", " ", "10", "9")
