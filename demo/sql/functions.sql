-- What the seed's statements share. Nothing here is random: a row's number decides all of it, so the
-- same seed gives the same rows on every machine.

CREATE SCHEMA IF NOT EXISTS demo;

-- A number in [0, 1) that looks random; each purpose has its own.
CREATE OR REPLACE FUNCTION demo.draw(row_number bigint, purpose integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(row_number, purpose) & 9007199254740991)::double precision / 9007199254740992;

-- A number in [0, 1) that is spread evenly over any run of row numbers, so that a share of few rows
-- is kept as well as one of many: the multiples of an irrational number, one for each purpose.
CREATE OR REPLACE FUNCTION demo.evenly(row_number bigint, purpose double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN row_number * purpose - floor(row_number * purpose);

-- One of the choices.
CREATE OR REPLACE FUNCTION demo.pick(draw double precision, choices text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN choices[1 + floor(draw * cardinality(choices))::integer];

-- An identifier that looks like any other.
CREATE OR REPLACE FUNCTION demo.identifier(kind text, row_number bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(kind || row_number::text)::uuid::text;

-- A word as one of several programs spells it.
CREATE OR REPLACE FUNCTION demo.spelled(word text, draw double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN draw < 0.02 THEN upper(word) WHEN draw < 0.04 THEN initcap(word) ELSE word END;

-- How much was seeded, and up to when.
CREATE TABLE IF NOT EXISTS demo.seeds (
    jobs bigint NOT NULL,
    runs bigint NOT NULL,
    incidents bigint NOT NULL,
    plans bigint NOT NULL,
    until timestamptz NOT NULL
);
