"""The database's own clock and split, so that set-based statements and Python cannot disagree; and the shared cache."""

from django.db import migrations

CLOCK = """
CREATE FUNCTION coop_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS
$$ SELECT coalesce((SELECT now FROM lib_sandboxclock WHERE id = 1), clock_timestamp()) $$;
"""

SHARE = """
CREATE FUNCTION coop_share(minor bigint, basis_points int) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT sign(minor)::bigint * (
     abs(minor) * basis_points / 10000
     + CASE
         WHEN abs(minor) * basis_points % 10000 > 5000 THEN 1
         WHEN abs(minor) * basis_points % 10000 = 5000 THEN (abs(minor) * basis_points / 10000) % 2
         ELSE 0
       END) $$;
"""


# What Django's database cache keeps: the counts of sign-in attempts, which all web processes must share.
CACHE = """
CREATE TABLE lib_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
CREATE INDEX lib_cache_expires ON lib_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("lib", "0001_initial")]
    operations = [
        migrations.RunSQL(CLOCK, "DROP FUNCTION coop_now()"),
        migrations.RunSQL(SHARE, "DROP FUNCTION coop_share(bigint, int)"),
        migrations.RunSQL(CACHE, "DROP TABLE lib_cache"),
    ]
