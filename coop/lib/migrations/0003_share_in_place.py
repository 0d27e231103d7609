"""The split without STRICT: a strict function with a CASE is called for every line instead of being written out in place,
which costs more than the split itself. Without it NULL still gives NULL, because an amount of NULL has no sign.
"""

from django.db import migrations

BODY = """
CREATE OR REPLACE FUNCTION coop_share(minor bigint, basis_points int) RETURNS bigint
LANGUAGE sql IMMUTABLE {strict} PARALLEL SAFE AS
$$ SELECT sign(minor)::bigint * (
     abs(minor) * basis_points / 10000
     + CASE
         WHEN abs(minor) * basis_points % 10000 > 5000 THEN 1
         WHEN abs(minor) * basis_points % 10000 = 5000 THEN (abs(minor) * basis_points / 10000) % 2
         ELSE 0
       END) $$;
"""


class Migration(migrations.Migration):
    dependencies = [("lib", "0002_clock_and_share")]
    operations = [migrations.RunSQL(BODY.format(strict=""), BODY.format(strict="STRICT"))]
