"""What the demo's rows are known to hold; tests/integration/test_demo_seed.py sees to it."""

# As few as these show every hint of a week, and none of ninety days, whenever they are made.
FEW_ROWS = 1_000
# All that the rows have, the ugly ones aside; a site without rows would cost less than any.
SITES = ("SH-01", "SH-02", "SZ-01", "BJ-03", "CD-01", "MUC-01", "DET-02", "PUN-01")
