#!/bin/sh
# The role of the application, which owns no table: PostgreSQL itself separates the campuses.
set -eu
psql --username=postgres --dbname=sceau --set=ON_ERROR_STOP=1 --set=password="$APP_PASSWORD" <<'SQL'
CREATE ROLE sceau_app LOGIN PASSWORD :'password' NOSUPERUSER NOBYPASSRLS;
GRANT CONNECT, TEMPORARY, CREATE ON DATABASE sceau TO sceau_app;
SQL
