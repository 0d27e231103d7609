"""Lets transactional tests empty the tables that refuse to be emptied.

After each such test Django truncates every table. The ledger's triggers refuse that, as they must, and rows
that the migrations brought would be lost. So in tests, and only there, the refusing triggers are off while
Django truncates, and the migrations' rows, of which the template database holds a copy in the schema `kept`,
come back.
"""

from collections.abc import Iterable

from django.db import connection, transaction

# Content types and permissions are made again by Django itself after each flush.
KEEP_MIGRATED_ROWS = """
DO $$
DECLARE
  relation record;
  filled boolean;
BEGIN
  CREATE SCHEMA kept;
  FOR relation IN
    SELECT tablename FROM pg_tables WHERE schemaname = 'public'
    AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', relation.tablename) INTO filled;
    IF filled THEN
      EXECUTE format('CREATE TABLE kept.%1$I AS TABLE public.%1$I', relation.tablename);
    END IF;
  END LOOP;
END $$
"""

SLEEPING_TRIGGERS = """
SELECT tgrelid::regclass::text, quote_ident(tgname), tgenabled
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND tgenabled <> 'D' AND relnamespace = 'public'::regnamespace
  AND (tgtype & 32 <> 0 OR relname IN (SELECT tablename FROM pg_tables WHERE schemaname = 'kept'))
"""

BRING_BACK_KEPT_ROWS = """
DO $$
DECLARE
  relation record;
  counter record;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR relation IN SELECT tablename FROM pg_tables WHERE schemaname = 'kept' LOOP
    EXECUTE format('INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE SELECT * FROM kept.%1$I',
    relation.tablename); FOR counter IN SELECT attname FROM pg_attribute WHERE attrelid = format('public.%I',
    relation.tablename)::regclass AND attidentity <> '' LOOP EXECUTE format( 'SELECT
    setval(pg_get_serial_sequence(%L, %L), max(%I)) FROM kept.%I', format('public.%I', relation.tablename),
    counter.attname, counter.attname, relation.tablename ); END LOOP; END LOOP; END $$
"""

ENABLE = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}


def truncate_in_tests(statements: Iterable[str]) -> None:
    """Run Django's flush `statements` with the refusing triggers off, then bring back the migrations' rows."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SLEEPING_TRIGGERS)
        triggers = cursor.fetchall()
        for table, trigger, _ in triggers:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(BRING_BACK_KEPT_ROWS)
        for table, trigger, state in triggers:
            cursor.execute(f"ALTER TABLE {table} {ENABLE[state]} TRIGGER {trigger}")
