CREATE FUNCTION hanzo_datastore.hanzo_columnar_handler(internal)
RETURNS table_am_handler
LANGUAGE C STRICT
AS 'MODULE_PATHNAME';

CREATE ACCESS METHOD hanzo_columnar TYPE TABLE HANDLER hanzo_datastore.hanzo_columnar_handler;

COMMENT ON ACCESS METHOD hanzo_columnar IS
'columnar tables: new rows in a heap, old rows in compressed columns';
