#!/bin/sh
# Run once, when the demo's database is made, after the tables and the reader role: its password.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$READER_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
ALTER ROLE parallel_ops_reader PASSWORD :'password';
SQL
