"""The history of the tables; Alembic runs it. `tables.REVISION` names the last one."""
